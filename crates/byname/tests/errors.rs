//! What an error, a panic and a broken output become.

use std::io::{self, Write};

use anyhow::Context as _;
use byname::testing::{self, Outcome};
use byname::{
    Command, Context, Dispatcher, Environment, ExitStatus, Handler, Output, Registry, ResultExt,
    StatusError, Streams, UsageError,
};

fn dispatcher(handler: Handler) -> Dispatcher {
    let command = Box::leak(Box::new(
        Command::new("run", "Run", handler, byname::origin!()).raw_words(),
    ));
    Dispatcher::builder("tool")
        .registry(Registry::from_commands([&*command]).unwrap())
        .build()
}

fn run(handler: Handler) -> Outcome {
    testing::run(&dispatcher(handler), ["run"])
}

fn ends(handler: Handler, status: ExitStatus, stderr: &str) {
    let outcome = run(handler);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (status, stderr));
}

#[test]
fn an_error_prints_its_chain_once() {
    ends(
        |_| {
            Err(io::Error::other("refused"))
                .context("cannot reach x")
                .context("pull")
        },
        ExitStatus::Failure,
        "Error: pull: cannot reach x: refused\n",
    );
    ends(
        |_| Err(io::Error::other("refused")).context("cannot reach x: refused"),
        ExitStatus::Failure,
        "Error: cannot reach x: refused\n",
    );
}

#[test]
fn hints_follow_each_on_its_line() {
    ends(
        |_| {
            Err(io::Error::other("refused"))
                .hint("Run 'a'.")
                .context("step")
                .hint("Run 'b'.")
        },
        ExitStatus::Failure,
        "Error: step: refused\n\nRun 'a'.\nRun 'b'.\n",
    );
}

#[test]
fn a_status_error_ends_with_its_status() {
    ends(
        |_| {
            Err(StatusError::new(ExitStatus::Code(125), "no image"))
                .context("run")
                .hint("Run 'x'.")
        },
        ExitStatus::Code(125),
        "Error: run: no image\n\nRun 'x'.\n",
    );
    ends(
        |_| Err(StatusError::silent(ExitStatus::Code(7))).context("not said"),
        ExitStatus::Code(7),
        "",
    );
    ends(
        |_| {
            Err(StatusError::silent(ExitStatus::Code(7)).with_text("docker: just this"))
                .context("not said")
                .hint("Nor this.")
        },
        ExitStatus::Code(7),
        "docker: just this\n",
    );
}

#[test]
fn a_usage_error_names_the_help() {
    ends(
        |_| Err(UsageError::new("too many names").into()),
        ExitStatus::Usage,
        "Error: too many names\n\nRun 'tool help run' for more information.\n",
    );
}

#[test]
fn a_panic_is_an_error_that_names_the_command_and_its_origin() {
    let outcome = run(|_| panic!("index {} is gone", 3));
    assert_eq!(outcome.status, ExitStatus::Code(101));
    let mut lines = outcome.stderr.lines();
    assert_eq!(
        lines.next(),
        Some("Error: command 'run' panicked: index 3 is gone")
    );
    assert_eq!(lines.next(), Some(""));
    let hint = lines.next().unwrap();
    assert!(
        hint.contains(&format!(
            "report it to byname {} at ",
            env!("CARGO_PKG_VERSION")
        )),
        "{hint}"
    );
    assert!(hint.contains("errors.rs:"), "{hint}");
    assert_eq!(lines.next(), None);
}

#[test]
fn a_panic_with_no_text_or_a_wicked_one_is_contained() {
    struct Wicked;
    impl Drop for Wicked {
        fn drop(&mut self) {
            panic!("again");
        }
    }
    let outcome = run(|_| std::panic::panic_any(Wicked));
    assert!(
        outcome
            .stderr
            .starts_with("Error: command 'run' panicked: a value that is no text\n")
    );
    assert!(
        run(|_| panic!("plain"))
            .stderr
            .starts_with("Error: command 'run' panicked: plain\n")
    );
}

#[test]
fn a_dispatcher_works_on_after_a_panic() {
    let dispatcher = dispatcher(|cx| match cx.args() {
        [] => panic!("first"),
        _ => Ok(ExitStatus::Success),
    });
    let (out, _) = Output::buffer();
    let mut cx = Context::new(
        Streams::new(byname::Input::empty(), out.clone(), out),
        Environment::process(),
    );
    assert_eq!(dispatcher.dispatch(["run"], &mut cx), ExitStatus::Code(101));
    assert_eq!(
        dispatcher.dispatch(["run", "x"], &mut cx),
        ExitStatus::Success
    );
    assert!(cx.command().is_none());
}

/// Fails in one way at every write or at the last flush.
struct Failing {
    kind: io::ErrorKind,
    at_flush: bool,
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.at_flush {
            Ok(bytes.len())
        } else {
            Err(self.kind.into())
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        if self.at_flush {
            Err(self.kind.into())
        } else {
            Ok(())
        }
    }
}

fn run_into(kind: io::ErrorKind, at_flush: bool, handler: Handler) -> (ExitStatus, String) {
    let (err, captured) = Output::buffer();
    let out = Output::from_writer(Failing { kind, at_flush });
    let mut cx = Context::new(
        Streams::new(byname::Input::empty(), out, err),
        Environment::process(),
    );
    let status = dispatcher(handler).dispatch(["run"], &mut cx);
    (status, captured.text())
}

#[test]
fn our_own_broken_pipe_is_quiet() {
    let says: Handler = |cx| {
        writeln!(cx.out(), "hello").context("listing")?;
        Ok(ExitStatus::Success)
    };
    for at_flush in [false, true] {
        assert_eq!(
            run_into(io::ErrorKind::BrokenPipe, at_flush, says),
            (ExitStatus::Signal(13), String::new())
        );
    }
}

#[test]
fn another_broken_pipe_is_not() {
    ends(
        |_| Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
        ExitStatus::Failure,
        "Error: broken pipe\n",
    );
}

#[test]
fn output_that_cannot_be_written_out_is_told() {
    let says: Handler = |cx| {
        writeln!(cx.out(), "hello")?;
        Ok(ExitStatus::Success)
    };
    let (status, stderr) = run_into(io::ErrorKind::StorageFull, true, says);
    assert_eq!(
        (status, stderr.as_str()),
        (
            ExitStatus::Failure,
            "Error: cannot write the output: no storage space\n"
        )
    );
    let (status, stderr) = run_into(io::ErrorKind::StorageFull, false, says);
    assert_eq!(
        (status, stderr.as_str()),
        (ExitStatus::Failure, "Error: no storage space\n")
    );
    // A status that the command chose stays.
    let (status, _) = run_into(io::ErrorKind::StorageFull, true, |_| {
        Ok(ExitStatus::Code(7))
    });
    assert_eq!(status, ExitStatus::Code(7));
}

#[test]
fn duplicates_among_linked_commands_are_the_dispatchs_error() {
    fn nothing(_: &mut Context) -> anyhow::Result<ExitStatus> {
        Ok(ExitStatus::Success)
    }
    byname::register! { Command::new("twice", "Do it", nothing, byname::origin!()) }
    byname::register! { Command::new("twice", "Do it", nothing, byname::origin!()) }
    let outcome = testing::run(&Dispatcher::builder("tool").build(), ["twice"]);
    assert_eq!(outcome.status, ExitStatus::Failure);
    assert!(
        outcome
            .stderr
            .starts_with("Error: duplicate command name: 'twice' (byname "),
        "{}",
        outcome.stderr
    );
    let refused = std::panic::catch_unwind(testing::assert_registry).unwrap_err();
    assert!(
        refused
            .downcast_ref::<String>()
            .unwrap()
            .contains("duplicate command name: 'twice'")
    );
}

#[test]
fn no_error_steers_a_terminal() {
    const EVIL: &str = "a\x1b[2Jb\u{9b}c\u{202e}d\te\nf";
    ends(
        |_| Err(io::Error::other(EVIL)).context("step"),
        ExitStatus::Failure,
        "Error: step: a[2Jbcd\te\nf\n",
    );
    ends(
        |_| Err(StatusError::whole(ExitStatus::Failure, EVIL).into()),
        ExitStatus::Failure,
        "a[2Jbcd\te\nf\n",
    );
    ends(
        |_| Err(io::Error::other("x")).hint(EVIL),
        ExitStatus::Failure,
        "Error: x\n\na[2Jbcd\te\nf\n",
    );
}

/// The colors of such an error are escape sequences, too, among which nobody finds those of a word.
#[cfg(feature = "clap")]
#[test]
fn no_error_of_claps_steers_a_terminal() {
    const EVIL: &str = "a\x1b[2Jb\u{9b}c\u{202e}d";
    let dispatcher = dispatcher(|_| {
        let words = ["run", EVIL];
        Err(clap::Command::new("run")
            .try_get_matches_from(words)
            .unwrap_err()
            .into())
    });
    for variables in [&[][..], &[("CLICOLOR_FORCE", "1")]] {
        let environment = variables.iter().copied().collect::<Environment>();
        let outcome = testing::run_with(&dispatcher, ["run"], b"", environment);
        assert_eq!(outcome.status, ExitStatus::Usage);
        let steering: Vec<char> = outcome
            .stderr
            .chars()
            .filter(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'))
            .collect();
        assert!(steering.is_empty(), "{:?}", outcome.stderr);
    }
}
