//! A session with a container that has a terminal; ours is a pseudo-terminal.

mod wire;

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use attach::{Attached, End, Events, Session};
use byname::{Environment, Input, Output, Streams};
use rustix::termios::{self, LocalModes};
use rustix_openpty::{Pty, openpty};
use terminal::DetachKeys;
use wire::{attach, beside, code, exited, soon};

/// A pseudo-terminal, the streams of a program that runs in it, and a descriptor to look at its mode.
fn console() -> (std::fs::File, Streams, OwnedFd) {
    let Pty { controller, user } = openpty(None, None).expect("open a pty");
    let clone = || user.try_clone().expect("duplicate");
    let streams = Streams::new(
        Input::from_fd(clone()),
        Output::from_fd(clone()),
        Output::from_fd(clone()),
    );
    (controller.into(), streams, user)
}

fn is_raw(terminal: &OwnedFd) -> bool {
    let modes = termios::tcgetattr(terminal).expect("read the modes");
    !modes
        .local_modes
        .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
}

fn with_tty() -> Attached {
    Attached {
        tty: true,
        stdin: true,
        stdout: true,
        ..Attached::default()
    }
}

fn start(
    hijacked: engine_client::Hijacked,
    attached: Attached,
    streams: &Streams,
    noraw: &str,
) -> (Session, Events) {
    let events = Events::new().expect("a descriptor");
    let environment = Environment::from_iter([("NORAW", noraw)]);
    let session = Session::start(hijacked, attached, streams, &environment, &events.sender());
    (session.expect("start the session"), events)
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_terminal_is_raw_until_the_output_ends() {
    let (mut screen, streams, terminal) = console();
    let (hijacked, mut engine) = attach(b"");
    assert!(!is_raw(&terminal));
    let (session, mut events) = start(hijacked, with_tty(), &streams, "");
    assert!(is_raw(&terminal));
    let sender = events.sender();
    let end = beside(move || session.end(&mut events));

    // Ctrl-C is a byte like others, and output is not changed on its way.
    screen.write_all(b"\x03x").expect("type");
    let mut keys = [0; 2];
    engine.read_exact(&mut keys).expect("read");
    assert_eq!(&keys, b"\x03x");
    engine.write_all(b"a\nb").expect("write");
    let mut text = [0; 3];
    screen.read_exact(&mut text).expect("read");
    assert_eq!(&text, b"a\nb");

    drop(engine);
    // It is restored before the container's status is known.
    eventually("the mode is restored", || !is_raw(&terminal));
    sender.exited(exited(0));
    assert_eq!(code(soon(&end)), 0);
}

#[test]
fn noraw_and_what_is_not_attached_leave_the_terminal_alone() {
    let without_stdin = Attached {
        stdin: false,
        ..with_tty()
    };
    let without_tty = Attached {
        tty: false,
        ..with_tty()
    };
    for (attached, noraw) in [(with_tty(), "1"), (without_stdin, ""), (without_tty, "")] {
        let (_screen, streams, terminal) = console();
        let (hijacked, _engine) = attach(b"");
        let _session = start(hijacked, attached, &streams, noraw);
        assert!(!is_raw(&terminal));
    }
}

#[test]
fn detach_keys_end_the_session_and_nothing_of_them_is_sent() {
    let (mut screen, streams, terminal) = console();
    let (hijacked, mut engine) = attach(b"");
    let (session, mut events) = start(hijacked, with_tty(), &streams, "");
    for keys in [&b"ls\x10x\x10"[..], b"\x11"] {
        screen.write_all(keys).expect("type");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(matches!(session.end(&mut events), Ok(End::Detached)));
    assert!(!is_raw(&terminal));
    let mut got = Vec::new();
    engine
        .read_to_end(&mut got)
        .expect("the connection is closed");
    assert_eq!(got, b"ls\x10x");
}

#[test]
fn other_detach_keys_replace_the_default_ones() {
    let (mut screen, streams, _terminal) = console();
    let (hijacked, mut engine) = attach(b"");
    let attached = Attached {
        detach_keys: Some(DetachKeys::parse("ctrl-a,d").expect("keys")),
        ..with_tty()
    };
    let (session, mut events) = start(hijacked, attached, &streams, "");
    screen.write_all(b"\x10\x11\x01d").expect("type");
    assert!(matches!(session.end(&mut events), Ok(End::Detached)));
    let mut got = Vec::new();
    engine.read_to_end(&mut got).expect("closed");
    assert_eq!(got, b"\x10\x11");
}

#[test]
fn without_a_terminal_detach_keys_are_input() {
    let (hijacked, mut engine) = attach(b"");
    let (streams, _, _) = wire::captured(Input::from_reader(&b"a\x10\x11b\x10"[..]));
    let (_session, _events) = start(hijacked, wire::everything(), &streams, "");
    let mut got = Vec::new();
    engine.read_to_end(&mut got).expect("half-closed");
    assert_eq!(got, b"a\x10\x11b\x10");
}

#[test]
fn keys_held_back_are_sent_when_input_ends() {
    let (hijacked, mut engine) = attach(b"");
    let (streams, _, _) = wire::captured(Input::from_reader(&b"a\x10"[..]));
    let (_session, _events) = start(hijacked, with_tty(), &streams, "");
    let mut got = Vec::new();
    engine.read_to_end(&mut got).expect("half-closed");
    assert_eq!(got, b"a\x10");
}

#[test]
fn dropping_the_session_restores_the_terminal() {
    let (_screen, streams, terminal) = console();
    let (hijacked, mut engine) = attach(b"");
    let (session, _events) = start(hijacked, with_tty(), &streams, "");
    assert!(is_raw(&terminal));
    drop(session);
    assert!(!is_raw(&terminal));
    let mut rest = Vec::new();
    engine.read_to_end(&mut rest).expect("closed");
}

#[test]
fn a_panic_restores_the_terminal() {
    let (_screen, streams, terminal) = console();
    let (hijacked, _engine) = attach(b"");
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _session = start(hijacked, with_tty(), &streams, "");
        assert!(is_raw(&terminal));
        panic!("in a handler");
    }));
    assert!(outcome.is_err());
    assert!(!is_raw(&terminal));
}
