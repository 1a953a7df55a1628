//! A session's streams against the engine's end of a real socket.

mod wire;

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use attach::{Attached, End, Error};
use byname::{Input, Output, Streams};
use wire::{attach, beside, captured, code, everything, exited, frame, pattern, soon, start};

#[test]
fn megabytes_in_both_directions_at_once() {
    let (hijacked, engine) = attach(b"");
    let sent = pattern(8 << 20);
    let (reader, mut writer) = io::pipe().expect("a pipe");
    let typed = sent.clone();
    thread::spawn(move || writer.write_all(&typed));
    let (streams, out, err) = captured(Input::from_fd(reader));
    let (session, mut events) = start(hijacked, everything(), &streams);

    // The engine echoes to both streams, and ends its side when the input has ended.
    let sender = events.sender();
    let echo = beside(move || {
        let (mut from, mut to) = (&engine, &engine);
        let mut buffer = vec![0; 100_000];
        loop {
            let length = from.read(&mut buffer).expect("read");
            if length == 0 {
                break;
            }
            to.write_all(&frame(1, &buffer[..length])).expect("write");
            to.write_all(&frame(2, &buffer[..length])).expect("write");
        }
        drop(engine);
        sender.exited(exited(5));
    });
    let end = beside(move || session.end(&mut events));
    soon(&echo);
    assert_eq!(code(soon(&end)), 5);
    assert!(out.bytes() == sent, "standard output differs");
    assert!(err.bytes() == sent, "standard error differs");
}

#[test]
fn output_comes_after_input_has_ended() {
    let (hijacked, mut engine) = attach(b"");
    let (streams, out, _) = captured(Input::from_reader(&b"question"[..]));
    let (session, mut events) = start(hijacked, everything(), &streams);
    let mut question = String::new();
    engine.read_to_string(&mut question).expect("half-closed");
    assert_eq!(question, "question");
    engine.write_all(&frame(1, b"answer")).expect("write");
    drop(engine);
    events.sender().exited(exited(0));
    assert_eq!(code(session.end(&mut events)), 0);
    assert_eq!(out.text(), "answer");
}

#[test]
fn without_input_the_write_side_is_closed_at_once() {
    let (hijacked, mut engine) = attach(b"");
    let (streams, _, _) = captured(Input::from_reader(&b"not attached"[..]));
    let attached = Attached {
        stdin: false,
        ..everything()
    };
    let (_session, _events) = start(hijacked, attached, &streams);
    let mut got = Vec::new();
    engine.read_to_end(&mut got).expect("half-closed");
    assert_eq!(got, b"");
}

#[test]
fn bytes_behind_the_header_are_output() {
    let (hijacked, engine) = attach(&frame(2, b"early"));
    drop(engine);
    let (streams, _, err) = captured(Input::empty());
    let (session, mut events) = start(hijacked, everything(), &streams);
    events.sender().exited(exited(0));
    assert_eq!(code(session.end(&mut events)), 0);
    assert_eq!(err.text(), "early");
}

#[test]
fn a_frame_that_is_cut_off_delivers_what_came() {
    for cut in [3, 9, 12] {
        let (hijacked, mut engine) = attach(b"");
        engine
            .write_all(&frame(1, b"12345678")[..cut])
            .expect("write");
        drop(engine);
        let (streams, out, _) = captured(Input::empty());
        let (session, mut events) = start(hijacked, everything(), &streams);
        events.sender().exited(exited(1));
        assert_eq!(code(session.end(&mut events)), 1);
        assert_eq!(out.text(), "12345678"[..cut.saturating_sub(8)]);
    }
}

#[test]
fn an_engine_that_dies_breaks_the_session() {
    let (hijacked, mut engine) = attach(b"");
    let (streams, out, _) = captured(Input::from_reader(&b"never read"[..]));
    let (session, mut events) = start(hijacked, everything(), &streams);
    engine.write_all(&frame(1, b"last words")).expect("write");
    // A socket that is closed with unread input resets the connection, as a process that is killed does. It is read
    // only once the input has arrived, and then not.
    let mut one = [0];
    engine.read_exact(&mut one).expect("the input");
    drop(engine);
    match session.end(&mut events) {
        Err(Error::Stream(error)) => assert_eq!(error.kind(), engine_client::ErrorKind::Closed),
        other => panic!("{other:?}"),
    }
    assert_eq!(out.text(), "last words");
}

#[test]
fn an_engine_that_dies_quietly_is_told_by_the_wait() {
    let (hijacked, engine) = attach(b"");
    let (streams, _, _) = captured(Input::empty());
    let (session, mut events) = start(hijacked, everything(), &streams);
    drop(engine);
    let sender = events.sender();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        let (_, lost) = engine_error();
        sender.exited(Err(lost));
    });
    assert!(matches!(session.end(&mut events), Ok(End::Exited(Err(_)))));
}

/// Some error of the client.
fn engine_error() -> (&'static str, engine_client::Error) {
    let text = "not an endpoint://";
    let error = text
        .parse::<engine_client::Endpoint>()
        .expect_err("no endpoint");
    (text, error)
}

#[test]
fn an_error_in_the_stream_ends_the_session() {
    let (hijacked, mut engine) = attach(b"");
    engine.write_all(&frame(3, b"disk full")).expect("write");
    let (streams, _, _) = captured(Input::empty());
    let (session, mut events) = start(hijacked, everything(), &streams);
    let error = session.end(&mut events).expect_err("an error");
    assert_eq!(error.to_string(), "error from daemon in stream: disk full");
}

#[test]
fn nonsense_in_the_stream_ends_the_session() {
    let (hijacked, mut engine) = attach(b"");
    engine.write_all(b"HTTP/1.1 500 no\r\n\r\n").expect("write");
    let (streams, _, _) = captured(Input::empty());
    let (session, mut events) = start(hijacked, everything(), &streams);
    let error = session.end(&mut events).expect_err("an error");
    assert_eq!(error.to_string(), "unrecognized stream: 72");
}

#[test]
fn blocked_output_does_not_block_input() {
    let (hijacked, engine) = attach(b"");
    let (mut printed, out) = io::pipe().expect("a pipe");
    let sent = pattern(2 << 20);
    let streams = Streams::new(
        Input::from_reader(io::Cursor::new(sent.clone())),
        Output::from_fd(out),
        Output::buffer().0,
    );
    let (session, mut events) = start(hijacked, everything(), &streams);
    drop(streams);

    let (mut from, mut to) = (engine.try_clone().expect("duplicate"), engine);
    let expected = sent.clone();
    let writing = beside(move || {
        for piece in expected.chunks(60_000) {
            to.write_all(&frame(1, piece)).expect("write");
        }
        to.shutdown(Shutdown::Write).expect("half-close");
    });
    // All of the input arrives while nobody reads the output.
    let reading = beside(move || {
        let mut got = Vec::new();
        from.read_to_end(&mut got).expect("read");
        got
    });
    assert!(soon(&reading) == sent, "input differs");

    // Status first: the output is waited for, for as long as our reader takes to read it.
    events.sender().exited(exited(2));
    let end = beside(move || session.end(&mut events));
    thread::sleep(Duration::from_millis(300));
    let mut got = Vec::new();
    printed.read_to_end(&mut got).expect("read");
    assert!(got == sent, "output differs");
    soon(&writing);
    assert_eq!(code(soon(&end)), 2);
}

#[test]
fn nobody_reading_our_output_ends_the_session() {
    let (hijacked, mut engine) = attach(b"");
    let (reader, out) = io::pipe().expect("a pipe");
    drop(reader);
    let (stdin, _held_open) = io::pipe().expect("a pipe");
    let streams = Streams::new(
        Input::from_fd(stdin),
        Output::from_fd(out),
        Output::buffer().0,
    );
    let (session, mut events) = start(hijacked, everything(), &streams);
    engine.write_all(&frame(1, b"x")).expect("write");
    let error = session.end(&mut events).expect_err("an error");
    let Error::Output(inner) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(inner.kind(), io::ErrorKind::BrokenPipe);
    // byname's mark is inside, where the dispatcher looks for it.
    assert!(error.source().is_some() && inner.get_ref().is_some());
    // The connection is closed, so the engine is told too.
    let mut rest = Vec::new();
    engine.read_to_end(&mut rest).expect("closed");
}

#[test]
fn a_full_disk_is_an_error() {
    let (hijacked, mut engine) = attach(b"");
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("open /dev/full");
    let streams = Streams::new(Input::empty(), Output::from_fd(full), Output::buffer().0);
    let (session, mut events) = start(hijacked, everything(), &streams);
    engine.write_all(&frame(1, b"x")).expect("write");
    // The container has exited well, and still its output is lost.
    events.sender().exited(exited(0));
    match session.end(&mut events) {
        Err(Error::Output(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    }
}

#[test]
fn output_that_comes_after_the_exit_is_drained() {
    let (hijacked, mut engine) = attach(b"");
    let (streams, out, _) = captured(Input::empty());
    let (session, mut events) = start(hijacked, everything(), &streams);
    events.sender().exited(exited(9));
    let end = beside(move || session.end(&mut events));
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(50));
        engine.write_all(&frame(1, b"late ")).expect("write");
    }
    drop(engine);
    assert_eq!(code(soon(&end)), 9);
    assert_eq!(out.text(), "late late late ");
}

#[test]
fn an_engine_that_never_ends_the_output_is_left() {
    let (hijacked, mut engine) = attach(b"");
    let (streams, out, _) = captured(Input::empty());
    let (session, mut events) = start(hijacked, everything(), &streams);
    engine.write_all(&frame(1, b"all")).expect("write");
    events.sender().exited(exited(0));
    let before = Instant::now();
    assert_eq!(code(session.end(&mut events)), 0);
    assert!(before.elapsed() >= Duration::from_secs(4));
    assert_eq!(out.text(), "all");
}

#[test]
fn input_typed_after_the_session_is_left_to_others() {
    let (hijacked, mut engine) = attach(b"");
    let (stdin, mut keyboard) = io::pipe().expect("a pipe");
    let mut other = stdin.try_clone().expect("duplicate");
    let (streams, _, _) = captured(Input::from_fd(stdin));
    let (session, mut events) = start(hijacked, everything(), &streams);
    keyboard.write_all(b"a").expect("type");
    let mut one = [0];
    engine.read_exact(&mut one).expect("passed on");
    drop(engine);
    events.sender().exited(exited(0));
    assert_eq!(code(session.end(&mut events)), 0);
    keyboard.write_all(b"bcd").expect("type");
    drop(keyboard);
    let mut rest = String::new();
    other.read_to_string(&mut rest).expect("read");
    assert_eq!(rest, "bcd");
}

#[test]
fn with_input_alone_the_engine_may_end_the_other_direction() {
    let (hijacked, mut engine) = attach(b"");
    engine.shutdown(Shutdown::Write).expect("half-close");
    let (stdin, mut keyboard) = io::pipe().expect("a pipe");
    let (streams, _, _) = captured(Input::from_fd(stdin));
    let attached = Attached {
        stdin: true,
        ..Attached::default()
    };
    let (session, mut events) = start(hijacked, attached, &streams);
    let end = beside(move || {
        let end = session.end(&mut events);
        (end, events)
    });
    assert!(end.recv_timeout(Duration::from_millis(100)).is_err());
    keyboard.write_all(b"still").expect("type");
    drop(keyboard);
    let mut got = String::new();
    engine.read_to_string(&mut got).expect("read");
    assert_eq!(got, "still");
}

#[test]
fn a_container_that_closes_its_input_runs_on() {
    let (hijacked, mut engine) = attach(b"");
    let (stdin, mut keyboard) = io::pipe().expect("a pipe");
    let (streams, out, _) = captured(Input::from_fd(stdin));
    let (session, mut events) = start(hijacked, everything(), &streams);
    engine.shutdown(Shutdown::Read).expect("close its input");
    keyboard.write_all(b"unwanted").expect("type");
    thread::sleep(Duration::from_millis(50));
    engine.write_all(&frame(1, b"more")).expect("write");
    drop(engine);
    events.sender().exited(exited(0));
    assert_eq!(code(session.end(&mut events)), 0);
    assert_eq!(out.text(), "more");
}

struct Panicking;

impl Write for Panicking {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("a host's writer")
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_panics_ends_the_session() {
    let (hijacked, mut engine) = attach(b"");
    let streams = Streams::new(
        Input::empty(),
        Output::from_writer(Panicking),
        Output::buffer().0,
    );
    let (session, mut events) = start(hijacked, everything(), &streams);
    engine.write_all(&frame(1, b"x")).expect("write");
    assert!(matches!(session.end(&mut events), Err(Error::Output(_))));
}
