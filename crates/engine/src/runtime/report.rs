//! What a process on its way into a container tells the monitor.
//!
//! A socket of which the kernel keeps the messages apart, and with each message says which process sent it: so the
//! monitor knows the number of the container's first process, which knows itself only as 1. That it ends is the news that
//! the program runs, for every copy of the sending side is closed at exec.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::net::sockopt::set_socket_passcred;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::Failure;
use crate::{Error, Result};

/// The longest text of a message, in bytes; what is longer is cut.
const LONGEST_TEXT: usize = 4096;

/// The longest message, in bytes: a text in which every character is escaped, and what is around it.
const LONGEST: usize = 8 * LONGEST_TEXT;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Report {
    /// From the process that is to become the program: all is set up. With it comes the terminal, if there is one.
    Ready,
    /// From whoever failed. Nothing more will come of this start.
    Failed(Failure),
    /// From whoever: something that went wrong, which may be why the start fails.
    Detail(String),
}

/// A message as it came.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) report: Report,
    /// Who sent it, in the reader's namespace.
    pub(super) sender: Option<Pid>,
    pub(super) descriptor: Option<OwnedFd>,
}

/// The monitor's side.
#[derive(Debug)]
pub(super) struct Reports(OwnedFd);

/// The other side, which several processes have.
#[derive(Debug)]
pub(super) struct Reporter(OwnedFd);

/// Both sides.
pub(super) fn channel() -> Result<(Reports, Reporter)> {
    let failed = |error| Error::io("make a socket", error);
    let (reports, reporter) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed)?;
    set_socket_passcred(&reports, true).map_err(failed)?;
    Ok((Reports(reports), Reporter(reporter)))
}

impl Reports {
    /// Waits for a message; nothing when all who could send one are gone or have become programs.
    pub(super) fn next(&self) -> Result<Option<Received>> {
        let failed = |error: io::Error| Error::io("read what a container's launcher says", error);
        let mut bytes = [0; LONGEST];
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1), ScmCredentials(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            match recvmsg(
                &self.0,
                &mut slices,
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            ) {
                Err(Errno::INTR) => {}
                received => break received.map_err(|error| failed(error.into()))?,
            }
        };
        if received.bytes == 0 {
            return Ok(None);
        }
        let (mut sender, mut descriptor) = (None, None);
        for message in ancillary.drain() {
            match message {
                RecvAncillaryMessage::ScmCredentials(credentials) => sender = Some(credentials.pid),
                RecvAncillaryMessage::ScmRights(mut descriptors) => descriptor = descriptors.next(),
                _ => {}
            }
        }
        let report = serde_json::from_slice(&bytes[..received.bytes])
            .map_err(|error| failed(error.into()))?;
        Ok(Some(Received {
            report,
            sender,
            descriptor,
        }))
    }
}

impl Reporter {
    pub(super) fn send(&self, report: &Report) -> io::Result<()> {
        send(self.0.as_fd(), report, None)
    }

    /// Sends a descriptor along.
    pub(super) fn send_with(&self, report: &Report, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        send(self.0.as_fd(), report, Some(descriptor))
    }

    /// Says why nothing more will come. Who is to hear it may be gone, and then nobody is left to be told.
    pub(super) fn fail(&self, failure: Failure) {
        let _ = self.send(&Report::Failed(failure));
    }

    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn send(
    socket: BorrowedFd<'_>,
    report: &Report,
    descriptor: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let bytes = serde_json::to_vec(&shortened(report))?;
    let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    loop {
        match sendmsg(
            socket,
            &[IoSlice::new(&bytes)],
            &mut ancillary,
            SendFlags::NOSIGNAL,
        ) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn shortened(report: &Report) -> Report {
    let mut report = report.clone();
    let text = match &mut report {
        Report::Ready => return report,
        Report::Failed(failure) => &mut failure.message,
        Report::Detail(text) => text,
    };
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_with_their_sender_and_end() {
        let (reports, reporter) = channel().expect("a channel");
        let failure = Failure::container("ü\u{1}".repeat(LONGEST_TEXT));
        reporter
            .send(&Report::Failed(failure))
            .expect("a message is sent");
        let file = tempfile::tempfile().expect("a file");
        reporter
            .send_with(&Report::Ready, file.as_fd())
            .expect("a message is sent");
        drop(reporter);

        let first = reports.next().expect("a message").expect("no end");
        let Report::Failed(failure) = first.report else {
            panic!("{first:?}");
        };
        assert_eq!(failure.message.len(), LONGEST_TEXT - 1);
        let second = reports.next().expect("a message").expect("no end");
        assert_eq!(second.report, Report::Ready);
        assert_eq!(second.sender, Some(rustix::process::getpid()));
        assert!(second.descriptor.is_some() && first.descriptor.is_none());
        assert!(reports.next().expect("no message").is_none());
    }
}
