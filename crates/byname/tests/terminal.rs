//! Streams that are a pseudo-terminal: width and colours follow it.
#![cfg(unix)]

use std::fs::File;
use std::io::Read;

use byname::{
    Command, Context, Dispatcher, Environment, ExitStatus, Input, Output, Registry, Streams,
};
use rustix_openpty::rustix::termios::Winsize;

static LONG: Command = Command::new(
    "long",
    "Say so much that the line does not fit into a terminal of forty columns",
    |_| Ok(ExitStatus::Success),
    byname::origin!(),
);

/// The help as it is written to a terminal of this width.
fn help(columns: u16, variables: &[(&str, &str)]) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = rustix_openpty::openpty(None, Some(&size)).unwrap();
    let out = Output::from_fd(pty.user.try_clone().unwrap());
    let input = Input::from_fd(pty.user);
    assert!(out.is_terminal() && input.is_terminal());
    assert!(out.as_fd().is_some() && input.as_fd().is_some());

    let dispatcher = Dispatcher::builder("tool")
        .registry(Registry::from_commands([&LONG]).unwrap())
        .build();
    let environment = variables.iter().copied().collect::<Environment>();
    let mut cx = Context::new(Streams::new(input, out.clone(), out), environment);
    assert_eq!(dispatcher.dispatch(["help"], &mut cx), ExitStatus::Success);
    drop(cx);
    let mut text = Vec::new();
    // Linux answers EIO once the other side is closed, and what was read before counts.
    let _ = File::from(pty.controller).read_to_end(&mut text);
    String::from_utf8(text).unwrap().replace('\r', "")
}

#[test]
fn help_fits_the_terminal() {
    let text = help(40, &[("NO_COLOR", "1")]);
    assert!(
        text.contains(
            "  long  Say so much that the line does\n        not fit into a terminal of forty\n"
        ),
        "{text}"
    );
    // A terminal that does not know its width is as wide as any.
    assert!(
        help(0, &[("NO_COLOR", "1")])
            .contains("line does not fit into a terminal of forty columns")
    );
    assert!(
        help(40, &[("COLUMNS", "100")])
            .contains("line does not fit into a terminal of forty columns")
    );
}

#[test]
fn a_terminal_gets_colours() {
    assert!(help(80, &[]).starts_with("\u{1b}["));
    assert!(!help(80, &[("CLICOLOR", "0")]).contains('\u{1b}'));
    assert!(!help(80, &[("TERM", "dumb")]).contains('\u{1b}'));
}
