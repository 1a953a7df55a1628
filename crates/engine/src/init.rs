//! The first process of a container of `--init`: it starts the container's program, passes signals on to it, and reaps
//! whatever else ends.
//!
//! The program itself is bound into such containers, so this runs inside, as the container's user and below its filters.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, wait};
use rustix::termios::{isatty, tcsetpgrp};
use signal_hook::consts::SIGCHLD;
use signal_hook::iterator::Signals;

use crate::spec::{INIT_PATH, INIT_PATH_IN_DEV};

reexec::submit! { reexec::Initializer::new(INIT_PATH, init) }
reexec::submit! { reexec::Initializer::new(INIT_PATH_IN_DEV, init) }

/// The numbers of signals; what is no signal of the system, or cannot be caught, is left out.
const SIGNALS: std::ops::RangeInclusive<i32> = 1..=64;

/// Runs `-- COMMAND [ARG...]` and returns its status; 126 or 127 if it cannot be run or found.
fn init(arguments: &[OsString]) -> u8 {
    let words = match arguments.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => arguments,
    };
    let Some((program, arguments)) = words.split_first() else {
        eprintln!("{INIT_PATH}: no command specified");
        return 127;
    };
    match run(program, arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{INIT_PATH}: exec {}: {error}", program.display());
            match error.kind() {
                ErrorKind::NotFound => 127,
                _ => 126,
            }
        }
    }
}

fn run(program: &OsString, arguments: &[OsString]) -> io::Result<u8> {
    // Caught before there is a child whose end could be missed. The child has all of them by default again.
    let forbidden = signal_hook::consts::FORBIDDEN;
    let mut signals = Signals::new([SIGCHLD])?;
    for signal in SIGNALS.filter(|signal| !forbidden.contains(signal)) {
        let _ = signals.add_signal(signal);
    }
    // A group of its own: what a key sends goes to it alone, and not through here once more.
    let child = Command::new(program)
        .args(arguments)
        .process_group(0)
        .spawn()?;
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return Err(io::Error::other("it has no number"));
    };
    give_terminal(pid);
    for signal in &mut signals {
        if signal != SIGCHLD {
            pass_on(pid, signal);
            continue;
        }
        if let Some(code) = reap(pid)? {
            return Ok(code);
        }
    }
    Err(io::Error::other("signals came to an end"))
}

/// Makes the child's group that of the terminal, if there is one. It may have been stopped for reading before it was.
fn give_terminal(pid: Pid) {
    let stdin = io::stdin();
    if isatty(&stdin) && tcsetpgrp(&stdin, pid).is_ok() {
        let _ = kill_process(pid, Signal::CONT);
    }
}

/// Sends the child what was sent to us. It may be gone.
fn pass_on(pid: Pid, signal: i32) {
    // The library names no real-time signals; the others are sent as every filter of system calls lets them be.
    match Signal::from_named_raw(signal) {
        Some(signal) => drop(kill_process(pid, signal)),
        None => {
            if let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) {
                let _ = crate::sys::send_signal(descriptor.as_fd(), signal);
            }
        }
    }
}

/// Takes all that have ended off the kernel's hands, and returns the child's status if it is among them.
fn reap(child: Pid) -> io::Result<Option<u8>> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => {
                return Ok(Some(code(ExitStatus::from_raw(status.as_raw()))));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    u8::try_from(code).unwrap_or(u8::MAX)
}
