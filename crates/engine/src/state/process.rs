//! A process that is written down: its number alone means nothing, for the kernel gives it to another process when its own is
//! gone.
//!
//! What files keep is a [`Recorded`] process: boot, number and start, which are one process's together. Nothing can be done
//! with that but to show its number and to [`open`](Recorded::open) it. What comes of it is a [`Proven`] process, held by
//! descriptors, through which everything else goes: signals, namespaces, files below `/proc/PID`. So no number that is out of
//! date, and no 0 of a container that has no process, can be taken for a process of somebody else's.

use std::fmt;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::str::FromStr;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
use serde::{Deserialize, Serialize};

use super::life;
use crate::{Error, Result, sys};

/// A process as a file keeps it; the one by default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recorded {
    /// 0 for none.
    #[serde(rename = "pid")]
    number: i32,
    /// In clock ticks since the machine started (`/proc/PID/stat`, field 22).
    #[serde(rename = "pid_started", alias = "started")]
    started: u64,
    /// The boot of the machine that the two are about (`/proc/sys/kernel/random/boot_id`).
    boot: String,
}

impl Recorded {
    /// This very process.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` does not show it.
    pub fn this() -> Result<Recorded> {
        Recorded::of(getpid())
    }

    /// The process that has that number now. It has to be known that this is the one that is meant: this process itself, or
    /// a child that was not waited for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if there is none.
    pub fn of(pid: Pid) -> Result<Recorded> {
        let number = pid.as_raw_nonzero().get();
        let started = Directory::open(number)
            .and_then(|directory| directory.started())
            .map_err(|error| Error::io(format_args!("look at process {number}"), error))?;
        Ok(Recorded {
            number,
            started,
            boot: life::boot()?,
        })
    }

    /// Its number, to be shown; 0 for none.
    pub fn number(&self) -> i32 {
        self.number
    }

    /// Whether there was never one, or it is said to be gone.
    pub fn is_none(&self) -> bool {
        self.number == 0
    }

    /// The boot of the machine that it belongs to.
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// No process, on that boot.
    pub(crate) fn none(boot: String) -> Recorded {
        Recorded {
            boot,
            ..Recorded::default()
        }
    }

    /// None any more, on the same boot.
    #[must_use]
    pub(crate) fn gone(&self) -> Recorded {
        Recorded::none(self.boot.clone())
    }

    /// Whether it is there. One that ended and was not waited for is not.
    pub fn is_alive(&self) -> bool {
        self.open().is_ok()
    }

    /// The process itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it is gone, whoever has its number now.
    pub fn open(&self) -> Result<Proven> {
        let gone = || match self.number {
            ..=0 => Error::conflict("there is no process"),
            number => Error::conflict(format!("process {number} is gone")),
        };
        // A negative number is no process but a group.
        let number = Some(self.number).filter(|&number| number > 0);
        let pid = number.and_then(Pid::from_raw).ok_or_else(gone)?;
        if life::boot()? != self.boot {
            return Err(gone());
        }
        let directory = Directory::open(self.number).map_err(|_| gone())?;
        let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK).map_err(|_| gone())?;
        // The directory stays that of one process, and this process was there when the descriptor was opened by its number.
        match directory.started() {
            Ok(started) if started == self.started => Ok(Proven { pidfd, directory }),
            _ => Err(gone()),
        }
    }
}

/// Number, start and boot, as they are read again.
impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.number, self.started, self.boot)
    }
}

impl FromStr for Recorded {
    type Err = Error;

    fn from_str(text: &str) -> Result<Recorded> {
        let invalid = || Error::system(format!("not a recorded process: {text:?}"));
        let mut words = text.split_ascii_whitespace();
        let mut word = || words.next().ok_or_else(invalid);
        let recorded = Recorded {
            number: word()?.parse().map_err(|_| invalid())?,
            started: word()?.parse().map_err(|_| invalid())?,
            boot: word()?.to_owned(),
        };
        match words.next() {
            None => Ok(recorded),
            Some(_) => Err(invalid()),
        }
    }
}

/// A process that is the one that was recorded, for as long as this is held: it may end, but what is done here is done to it
/// or fails.
#[derive(Debug)]
pub struct Proven {
    pidfd: OwnedFd,
    directory: Directory,
}

impl Proven {
    /// A child that was not waited for, and its descriptor. One that cannot be held is killed.
    ///
    /// # Errors
    ///
    /// Those of opening `/proc/PID`.
    pub(crate) fn child(pid: Pid, pidfd: OwnedFd) -> io::Result<Proven> {
        match Directory::open(pid.as_raw_nonzero().get()) {
            Ok(directory) => Ok(Proven { pidfd, directory }),
            Err(error) => {
                let _ = sys::send_signal(pidfd.as_fd(), libc::SIGKILL);
                Err(error)
            }
        }
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        self.directory.started().is_ok()
    }

    /// Sends it a signal, by number.
    ///
    /// # Errors
    ///
    /// `ESRCH` if it has ended.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        sys::send_signal(self.pidfd.as_fd(), signal)
    }

    /// One of its namespaces, by the name of its file: `net`, `mnt`, ...
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` if it has ended.
    pub fn namespace(&self, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let path = format!("ns/{name}");
        Ok(openat(&self.directory.0, path, flags, Mode::empty())?)
    }

    /// Its root directory.
    ///
    /// # Errors
    ///
    /// As [`namespace`](Proven::namespace).
    pub fn root(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.directory.0, "root", flags, Mode::empty())?)
    }

    /// What a file says that the kernel has about it.
    ///
    /// # Errors
    ///
    /// As [`namespace`](Proven::namespace).
    pub fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        self.directory.read(file)
    }

    /// The descriptor, which is readable when it has ended.
    pub fn into_pidfd(self) -> OwnedFd {
        self.pidfd
    }
}

impl AsFd for Proven {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// The directory in `/proc` of one process: once opened it never shows another one, whoever gets the number.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

impl Directory {
    /// That of the process which has this number at the moment.
    pub(crate) fn open(number: i32) -> io::Result<Directory> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat(CWD, format!("/proc/{number}"), flags, Mode::empty())?;
        Ok(Directory(opened))
    }

    /// What a file in it says.
    pub(crate) fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let mut opened = std::fs::File::from(openat(&self.0, file, flags, Mode::empty())?);
        let mut bytes = Vec::with_capacity(512);
        opened.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// When the process started; an error if it has ended, whether or not it was waited for.
    fn started(&self) -> io::Result<u64> {
        let stat = self.read("stat")?;
        started_of_stat(&String::from_utf8_lossy(&stat))
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The second field is the program's name in parentheses, and a program may have any name: what counts is behind the last
/// of them.
fn started_of_stat(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
impl Recorded {
    /// A process that may be there or not.
    pub(crate) fn made_up(number: i32, started: u64, boot: &str) -> Recorded {
        Recorded {
            number,
            started,
            boot: boot.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_programs_name_does_not_confuse() {
        let rest = "S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        assert_eq!(started_of_stat(&format!("1 (init) {rest}")), Some(4711));
        assert_eq!(
            started_of_stat(&format!("1 (a) Z 1 (b) {rest}")),
            Some(4711)
        );
        assert_eq!(
            started_of_stat(&format!("1 (a) {}", rest.replace('S', "Z"))),
            None
        );
        assert_eq!(started_of_stat("1 (a) S 1"), None);
        assert_eq!(started_of_stat(""), None);
    }

    /// A number of which all but one thing is right is nobody's.
    #[test]
    fn a_process_is_boot_number_and_start_together() {
        let this = Recorded::this().expect("this process");
        assert!(this.is_alive() && !this.is_none());
        let (number, started, boot) = (this.number, this.started, this.boot.clone());
        for other in [
            Recorded::made_up(number, started + 1, &boot),
            Recorded::made_up(number, started, "another"),
            Recorded::made_up(number, started, ""),
            Recorded::made_up(0, started, &boot),
            Recorded::made_up(0, 0, &boot),
            Recorded::made_up(-1, started, &boot),
            Recorded::made_up(-number, started, &boot),
            Recorded::made_up(i32::MIN, started, &boot),
            Recorded::made_up(i32::MAX, started, &boot),
            this.gone(),
            Recorded::default(),
        ] {
            let error = other.open().expect_err("nobody");
            assert_eq!(error.status(), 409, "{other:?}: {error}");
            assert!(!other.is_alive(), "{other:?}");
        }
        assert_eq!(this.gone().boot(), boot);
    }

    #[test]
    fn one_that_ended_is_gone_before_it_was_waited_for() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a child");
        let pid = Pid::from_child(&child);
        let recorded = Recorded::of(pid).expect("a process");
        let proven = recorded.open().expect("it is there");
        assert!(proven.is_alive());
        assert!(!proven.read("stat").expect("a line").is_empty());
        proven.signal(libc::SIGKILL).expect("a signal");
        while proven.is_alive() {
            std::thread::yield_now();
        }
        assert!(recorded.open().is_err());
        child.wait().expect("its end");
        assert!(proven.namespace("net").is_err());
        assert!(proven.root().is_err());
        assert!(proven.read("stat").is_err());
        let error = proven.signal(libc::SIGKILL).expect_err("it is gone");
        assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let this = Recorded::this().expect("this process");
        assert_eq!(this.to_string().parse::<Recorded>().expect("it"), this);
        for text in ["", "1", "1 2", "x 2 boot", "1 x boot", "1 2 boot more"] {
            assert!(text.parse::<Recorded>().is_err(), "{text:?}");
        }
        // As volumes and networks have it.
        let text = r#"{"pid":7,"started":8,"boot":"b"}"#;
        let read: Recorded = serde_json::from_str(text).expect("a process");
        assert_eq!(read, Recorded::made_up(7, 8, "b"));
    }
}
