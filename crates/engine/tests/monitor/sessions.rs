//! Who is attached to a container, and what it joins.

use std::io::{Read, Write};

use bollard_stubs::models::{ContainerCreateBody, ExecConfig};
use engine::monitor::protocol::{Attach, Condition, Reply, Request, Size};
use engine::state::{Status, Store};

use crate::Test;
use crate::client::{Client, output, raw, send_all, unframed};

pub(crate) const TESTS: &[Test] = &[
    ("input_goes_in_and_ends", input_goes_in_and_ends),
    ("a_slow_reader_loses_nothing", a_slow_reader_loses_nothing),
    (
        "a_reader_that_left_holds_nobody_up",
        a_reader_that_left_holds_nobody_up,
    ),
    (
        "terminals_are_raw_and_have_a_size",
        terminals_are_raw_and_have_a_size,
    ),
    ("detach_keys_leave_it_running", detach_keys_leave_it_running),
    (
        "what_was_written_before_can_be_had",
        what_was_written_before_can_be_had,
    ),
    ("processes_join", processes_join),
    (
        "a_program_that_is_missing_does_not_join",
        a_program_that_is_missing_does_not_join,
    ),
];

/// A container whose input ends with the first client's.
fn interactive(script: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        open_stdin: Some(true),
        stdin_once: Some(true),
        ..Client::script(script)
    }
}

fn both() -> Attach {
    Attach {
        stdin: true,
        ..output()
    }
}

fn input_goes_in_and_ends() {
    let client = Client::new(interactive("cat; echo end"));
    let stream = client.session(&Request::Attach(both()), b"early ");
    let text = "late\n".repeat(100_000);
    let mut writer = stream.try_clone().expect("a clone");
    let bytes = text.clone();
    let sender = std::thread::spawn(move || {
        writer.write_all(bytes.as_bytes()).expect("sent");
        writer
            .shutdown(std::net::Shutdown::Write)
            .expect("half closed");
    });
    client.start();
    let (stdout, stderr) = unframed(stream);
    sender.join().expect("sent");
    assert!(
        stdout == format!("early {text}end\n"),
        "{} bytes came back",
        stdout.len()
    );
    assert_eq!(stderr, "");
}

fn a_slow_reader_loses_nothing() {
    let client = Client::new(Client::script("seq 1 1000000"));
    let mut wait = client.wait(Condition::NextExit);
    let mut stream = client.attach(output());
    client.start();
    // More than sockets and pipes hold, so that the container waits for its reader.
    let mut first = [0; 8];
    stream.read_exact(&mut first).expect("a header");
    assert_eq!(client.state().status, Status::Running);
    let mut rest = vec![0; u32::from_be_bytes([first[4], first[5], first[6], first[7]]) as usize];
    stream.read_exact(&mut rest).expect("a frame");
    let (stdout, _) = unframed(stream);
    let all = String::from_utf8(rest).expect("text") + &stdout;
    assert!(
        all.lines()
            .eq((1..=1_000_000).map(|number| number.to_string()))
    );
    assert!(matches!(
        wait.receive(),
        Ok(Reply::Exited { status_code: 0, .. })
    ));
}

fn a_reader_that_left_holds_nobody_up() {
    let client = Client::new(Client::script("seq 1 1000000"));
    let mut wait = client.wait(Condition::NextExit);
    let stream = client.attach(output());
    client.start();
    client.until("it writes", || (!client.log().is_empty()).then_some(()));
    drop(stream);
    assert!(matches!(
        wait.receive(),
        Ok(Reply::Exited { status_code: 0, .. })
    ));
    assert!(client.log().ends_with("\n1000000\n"));
}

fn terminals_are_raw_and_have_a_size() {
    let client = Client::new(ContainerCreateBody {
        tty: Some(true),
        ..interactive("read line; stty size; echo got $line")
    });
    let stream = client.attach(both());
    client.start();
    client
        .ask(&Request::Resize(Size {
            height: 21,
            width: 43,
        }))
        .expect("a size");
    (&stream).write_all(b"typed\r").expect("sent");
    assert_eq!(raw(stream), "typed\r\n21 43\r\ngot typed\r\n");
    client.until_status(Status::Exited);
    assert_eq!(client.log(), "typed\r\n21 43\r\ngot typed\r\n");
}

fn detach_keys_leave_it_running() {
    let client = Client::new(ContainerCreateBody {
        tty: Some(true),
        ..interactive("stty -echo; echo ready; cat")
    });
    let stream = client.attach(both());
    client.start();
    client.until("it is ready", || {
        client.log().contains("ready").then_some(())
    });
    (&stream).write_all(b"z\r\x10").expect("sent");
    client.until("it answers", || client.log().contains('z').then_some(()));
    (&stream).write_all(b"\x11").expect("sent");
    assert_eq!(raw(stream).trim_end(), "ready\r\nz");
    assert_eq!(client.state().status, Status::Running);

    let error = client
        .ask(&Request::Attach(Attach {
            detach_keys: "ctrl-zz".to_owned(),
            ..both()
        }))
        .expect_err("no such keys");
    assert_eq!(error.status(), 400);
    let other = client.attach(Attach {
        detach_keys: "x".to_owned(),
        ..both()
    });
    (&other).write_all(b"x").expect("sent");
    assert_eq!(raw(other), "");
}

fn what_was_written_before_can_be_had() {
    let client = Client::new(interactive("echo one; echo two; cat"));
    client.start();
    client.until("it wrote", || client.log().contains("two").then_some(()));
    let stream = client.attach(Attach {
        logs: true,
        ..both()
    });
    send_all(&stream, b"three\n");
    assert_eq!(unframed(stream).0, "one\ntwo\nthree\n");
    client.until_status(Status::Exited);
    let stream = client.attach(Attach {
        logs: true,
        stream: false,
        ..output()
    });
    assert_eq!(unframed(stream).0, "one\ntwo\nthree\n");
}

fn exec(script: &str) -> ExecConfig {
    ExecConfig {
        cmd: Some(vec!["/bin/sh".into(), "-c".into(), script.into()]),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..ExecConfig::default()
    }
}

fn start(id: &str, tty: bool, detach: bool) -> Request {
    Request::ExecStart {
        id: id.to_owned(),
        detach,
        tty,
        size: Some(Size {
            height: 7,
            width: 9,
        }),
    }
}

fn processes_join() {
    let client = Client::new(Client::script("sleep 100"));
    let id = client.exec(exec("cat; echo no >&2; exit 3"));
    assert_eq!(
        client
            .ask(&start(&id, false, false))
            .expect_err("it does not run")
            .status(),
        409
    );
    client.start();
    let stream = client.session(&start(&id, false, false), b"");
    send_all(&stream, b"hello\n");
    assert_eq!(unframed(stream), ("hello\n".to_owned(), "no\n".to_owned()));
    let store = Store::new(&client.layout);
    let done = store.exec(&id).expect("a record");
    assert_eq!((done.running, done.exit_code), (false, Some(3)));
    let error = client.ask(&start(&id, false, false)).expect_err("it ran");
    assert_eq!(error.status(), 409);

    let id = client.exec(ExecConfig {
        tty: Some(true),
        ..exec("stty size; read line; stty size")
    });
    let stream = client.session(&start(&id, true, false), b"");
    let mut first = [0; 5];
    (&stream).read_exact(&mut first).expect("a size");
    assert_eq!(&first, b"7 9\r\n");
    client
        .ask(&Request::ExecResize {
            id: id.clone(),
            size: Size {
                height: 5,
                width: 11,
            },
        })
        .expect("a size");
    (&stream).write_all(b"\r").expect("sent");
    assert_eq!(raw(stream), "\r\n5 11\r\n");

    let id = client.exec(ExecConfig {
        attach_stdin: None,
        attach_stdout: None,
        attach_stderr: None,
        ..exec("touch /tmp/joined; sleep 100")
    });
    client.ask(&start(&id, false, true)).expect("a start");
    assert!(store.exec(&id).expect("a record").running);
    let file = format!("/proc/{}/root/tmp/joined", client.state().process.number());
    client.until("it was there", || {
        std::fs::exists(&file).ok().filter(|&is| is)
    });
    // It ends with the container.
    client.ask(&Request::Kill { signal: 9 }).expect("a kill");
    client.until_status(Status::Exited);
    let done = store.exec(&id).expect("a record");
    assert_eq!((done.running, done.exit_code), (false, Some(137)));
}

fn a_program_that_is_missing_does_not_join() {
    let client = Client::new(Client::script("sleep 100"));
    client.start();
    let missing = ExecConfig {
        cmd: Some(vec!["missing".to_owned()]),
        ..exec("")
    };
    let id = client.exec(missing.clone());
    let (stdout, _) = unframed(client.session(&start(&id, false, false), b""));
    assert!(
        stdout.contains("exec: \"missing\": executable file not found in $PATH"),
        "{stdout:?}"
    );
    let done = Store::new(&client.layout).exec(&id).expect("a record");
    assert_eq!(done.exit_code, Some(127));
    let id = client.exec(missing);
    let error = client.ask(&start(&id, false, true)).expect_err("no start");
    assert!(error.to_string().contains("not found in $PATH"), "{error}");
}
