//! The container's terminal follows the size of our pseudo-terminal.

use std::sync::mpsc;
use std::time::Duration;

use attach::Resizer;
use byname::Output;
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{Winsize, tcsetwinsize};
use rustix_openpty::openpty;
use terminal::Size;

/// Some error of the client.
fn refusal() -> engine_client::Error {
    "nonsense://"
        .parse::<engine_client::Endpoint>()
        .expect_err("no endpoint")
}

fn winsize(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

#[test]
fn the_size_is_sent_at_first_and_when_it_changes() {
    let pty = openpty(None, Some(&winsize(0, 0))).expect("open a pty");
    let out = Output::from_fd(pty.user.try_clone().expect("duplicate"));
    let (err, messages) = Output::buffer();
    let (sizes, sent) = mpsc::channel();
    let resizer = Resizer::start(&out, &err, move |size| {
        let _ = sizes.send(size);
        Ok(())
    });
    let resizer = resizer.expect("start").expect("a terminal");
    // A terminal that does not know its size says nothing.
    assert!(sent.recv_timeout(Duration::from_millis(100)).is_err());

    tcsetwinsize(&pty.controller, winsize(30, 100)).expect("resize");
    kill_process(getpid(), Signal::WINCH).expect("signal");
    let size = Size {
        rows: 30,
        columns: 100,
    };
    assert_eq!(sent.recv_timeout(Duration::from_secs(10)), Ok(size));

    drop(resizer);
    // Its thread has ended with it.
    assert_eq!(
        sent.recv_timeout(Duration::from_secs(10)),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
    assert_eq!(messages.text(), "");
}

#[test]
fn a_container_that_refuses_is_asked_eleven_times_and_then_that_is_said() {
    let pty = openpty(None, Some(&winsize(24, 80))).expect("open a pty");
    let out = Output::from_fd(pty.user.try_clone().expect("duplicate"));
    let (err, messages) = Output::buffer();
    let (calls, called) = mpsc::channel();
    let _resizer = Resizer::start(&out, &err, move |size| {
        let _ = calls.send(size);
        Err(refusal())
    });
    for _ in 0..11 {
        called
            .recv_timeout(Duration::from_secs(10))
            .expect("another try");
    }
    while messages.text().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(
        messages.text(),
        "failed to resize tty, using default size\n"
    );
}

#[test]
fn without_a_terminal_there_is_nothing_to_do() {
    let (out, _) = Output::buffer();
    let resizer = Resizer::start(&out, &out, |_| panic!("no size"));
    assert!(resizer.expect("no error").is_none());
}
