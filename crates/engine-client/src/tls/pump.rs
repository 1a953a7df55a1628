//! Moves bytes between a TLS session and a socket pair: one thread, one poll loop.
//!
//! Neither direction waits for the other: each has one buffer, and takes no more before that is empty. So memory stays
//! flat, and a side that does not read slows down its own direction only.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::ClientConnection;

use super::failure::{self, TlsFailure};
use crate::connection::Connection;
use crate::error::Error;

const BUFFER: usize = 64 << 10;
/// How long what was written before the stream was dropped may take to leave.
const FLUSH: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

/// A session, the connection below it, and the end of the pair that its plain text goes through.
pub(super) struct Pump {
    session: ClientConnection,
    engine: Connection,
    local: UnixStream,
    failure: TlsFailure,
    peer: String,
    /// Plain text that our side is still to take.
    incoming: Vec<u8>,
    buffer: Box<[u8]>,
    /// Whether the engine may still send.
    engine_sends: bool,
    /// Whether our side may still send.
    local_sends: bool,
    /// Why nothing can be sent to the engine any more. What it sent before is read first: it may say why.
    unsendable: Option<io::Error>,
}

impl Pump {
    pub(super) fn new(
        session: ClientConnection,
        engine: Connection,
        local: UnixStream,
        failure: TlsFailure,
        peer: String,
    ) -> Pump {
        Pump {
            session,
            engine,
            local,
            failure,
            peer,
            incoming: Vec::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            engine_sends: true,
            local_sends: true,
            unsendable: None,
        }
    }

    /// Pumps until both directions have ended, our side has gone, or something fails.
    pub(super) fn run(mut self) {
        if let Err(error) = self.pump() {
            self.failure.set(error);
        }
        // Our side finds the end, or the failure. It may be gone already.
        let _ = self.local.shutdown(Shutdown::Both);
    }

    fn pump(&mut self) -> Result<(), Error> {
        // The engine's first words may have come along with the end of the handshake.
        self.take_plain_text()?;
        loop {
            if self.incoming.is_empty() && !self.engine_sends {
                // A half-close: our side may go on, as over TCP.
                let _ = self.local.shutdown(Shutdown::Write);
                if !self.local_sends && !self.wants_write() {
                    return Ok(());
                }
            }
            let (engine, local) = self.wait()?;
            if local.contains(PollFlags::HUP) {
                self.flush();
                return Ok(());
            }
            if engine.intersects(PollFlags::OUT | PollFlags::ERR | PollFlags::HUP) {
                self.send();
            }
            if engine.intersects(PollFlags::IN | PollFlags::ERR | PollFlags::HUP) {
                self.receive()?;
            }
            if local.intersects(PollFlags::OUT | PollFlags::ERR) {
                self.deliver();
            }
            if local.contains(PollFlags::IN) {
                self.collect();
            }
        }
    }

    fn wants_write(&self) -> bool {
        self.session.wants_write() && self.unsendable.is_none()
    }

    /// Waits until a direction can go on.
    fn wait(&self) -> Result<(PollFlags, PollFlags), Error> {
        let (mut engine, mut local) = (PollFlags::empty(), PollFlags::empty());
        engine.set(PollFlags::IN, self.engine_sends && self.incoming.is_empty());
        engine.set(PollFlags::OUT, self.wants_write());
        local.set(PollFlags::IN, self.local_sends && !self.wants_write());
        local.set(PollFlags::OUT, !self.incoming.is_empty());
        let mut both = [
            // That our side has gone is told whatever is asked for.
            PollFd::new(&self.local, local),
            PollFd::new(&self.engine, engine),
        ];
        // So is that the engine has gone, which can not be acted on before our side has taken all: it is not asked then.
        let asked = if engine.is_empty() { 1 } else { 2 };
        loop {
            match poll(&mut both[..asked], None) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(failure::lost(&self.peer, error.into())),
            }
        }
        let engine = match asked {
            2 => both[1].revents(),
            _ => PollFlags::empty(),
        };
        Ok((engine, both[0].revents()))
    }

    /// Session to engine.
    fn send(&mut self) {
        while self.wants_write() {
            let mut engine = &self.engine;
            match self.session.write_tls(&mut engine) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.unsendable = Some(error);
                    self.local_sends = false;
                }
            }
        }
    }

    /// Engine to session.
    fn receive(&mut self) -> Result<(), Error> {
        if !self.engine_sends || !self.incoming.is_empty() {
            return Ok(());
        }
        let read = match (&self.engine).read(&mut self.buffer) {
            Ok(read) => read,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(());
            }
            Err(error) => {
                let first = self.unsendable.take().unwrap_or(error);
                return Err(failure::lost(&self.peer, first));
            }
        };
        if read == 0 {
            self.engine_sends = false;
            // An engine that was killed says no goodbye, in TLS as little as without.
            return match self.unsendable.take() {
                Some(error) => Err(failure::lost(&self.peer, error)),
                None => Ok(()),
            };
        }
        let buffer = std::mem::take(&mut self.buffer);
        let mut sealed = &buffer[..read];
        let mut result = Ok(());
        while !sealed.is_empty() && result.is_ok() {
            result = match self.session.read_tls(&mut sealed) {
                // The session has ended, and what follows is nothing.
                Ok(0) => break,
                Ok(_) => self.take_plain_text(),
                Err(error) => Err(failure::lost(&self.peer, error)),
            };
        }
        self.buffer = buffer;
        if result.is_err() {
            // The alert that says why, for the engine's log.
            self.send();
        }
        result
    }

    /// Opens what the session has received.
    fn take_plain_text(&mut self) -> Result<(), Error> {
        let state = self
            .session
            .process_new_packets()
            .map_err(|error| failure::broken(&self.peer, error))?;
        let (length, closed) = (state.plaintext_bytes_to_read(), state.peer_has_closed());
        let start = self.incoming.len();
        self.incoming.resize(start + length, 0);
        self.session
            .reader()
            .read_exact(&mut self.incoming[start..])
            .map_err(|error| failure::lost(&self.peer, error))?;
        self.engine_sends &= !closed;
        Ok(())
    }

    /// Session to our side.
    fn deliver(&mut self) {
        let mut delivered = 0;
        while delivered < self.incoming.len() {
            match self.local.write(&self.incoming[delivered..]) {
                Ok(written) => delivered += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // One that does not read any more is seen by the next poll.
                Err(_) => break,
            }
        }
        self.incoming.drain(..delivered);
    }

    /// Our side to session.
    fn collect(&mut self) {
        if !self.local_sends || self.wants_write() {
            return;
        }
        match self.local.read(&mut self.buffer) {
            Ok(0) => self.end_input(),
            Ok(read) => {
                // Nothing waits in the session, whose limit is no smaller than the buffer.
                let written = self.session.writer().write_all(&self.buffer[..read]);
                self.unsendable = written.err();
                self.send();
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => self.end_input(),
        }
    }

    fn end_input(&mut self) {
        self.local_sends = false;
        self.session.send_close_notify();
        self.send();
    }

    /// Sends what our side wrote before it went.
    fn flush(&mut self) {
        loop {
            while self.local_sends && !self.wants_write() {
                self.collect();
            }
            if !self.wants_write() {
                return;
            }
            let mut engine = [PollFd::new(&self.engine, PollFlags::OUT)];
            match poll(&mut engine, Some(&FLUSH)) {
                Ok(0) => return,
                Ok(_) => self.send(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}
