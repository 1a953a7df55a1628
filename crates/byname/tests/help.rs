//! What help says, where it goes and with which status.

use std::ffi::OsString;

use byname::testing::{self, Outcome};
use byname::{Alias, Command, Context, Dispatcher, Environment, ExitStatus, Registry, Unresolved};

fn nothing(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

static RUN: Command = Command::new(
    "run",
    "Create and run a container",
    nothing,
    byname::origin!(),
)
.raw_words()
.long_help("The image is pulled if it is not there.")
.category("Common Commands")
.aliases(&[Alias::visible("container run"), Alias::hidden("r")]);
static PS: Command = Command::new("ps", "List containers", nothing, byname::origin!())
    .category("Common Commands")
    .aliases(&[Alias::visible("container ls")]);
static CREATE: Command = Command::new(
    "groups create",
    "Create a group",
    nothing,
    byname::origin!(),
)
.raw_words();
static REMOVE: Command = Command::new("groups rm", "Remove a group", nothing, byname::origin!());
static LOGIN: Command = Command::new("login", "Log in", nothing, byname::origin!());
static SECRET: Command = Command::new("secret", "Not shown", nothing, byname::origin!()).hidden();
static INSIDE: Command =
    Command::new("inside secret", "Not shown", nothing, byname::origin!()).hidden();

fn dispatcher() -> Dispatcher {
    let commands = [&RUN, &PS, &CREATE, &REMOVE, &LOGIN, &SECRET, &INSIDE];
    Dispatcher::builder("tool")
        .version("tool version 0.1.0")
        .about("Runs containers.")
        .registry(Registry::from_commands(commands).unwrap())
        .build()
}

fn run(words: &[&str]) -> Outcome {
    testing::run(&dispatcher(), words)
}

const HELP: &str = "\
Usage: tool [OPTIONS] COMMAND [ARG...]

Runs containers.

Common Commands:
  ps   List containers [aliases: container ls]
  run  Create and run a container [aliases: container run]

Commands:
  login  Log in

Groups:
  container  ls, run
  groups     create, rm

Global Options:
  -h, --help     Print help
  -v, --version  Print version

Run 'tool help COMMAND' for more information on a command.
";

const GROUP: &str = "\
Usage: tool groups COMMAND [ARG...]

Commands:
  groups create  Create a group
  groups rm      Remove a group

Run 'tool help groups COMMAND' for more information on a command.
";

#[test]
fn no_words_and_help_print_the_list() {
    for words in [
        &[][..],
        &["help"],
        &["--help"],
        &["-h"],
        &["HELP"],
        &["help", "help"],
        &["help", "--help"],
        &["--"],
    ] {
        let outcome = run(words);
        assert_eq!(outcome.stdout, HELP, "{words:?}");
        assert_eq!(outcome.stderr, "");
        assert_eq!(outcome.status, ExitStatus::Success);
    }
}

#[test]
fn version_prints_the_hosts_line() {
    for words in [["-v"], ["--version"]] {
        assert_eq!(run(&words).stdout, "tool version 0.1.0\n");
    }
    // After the name it is the command's.
    assert_eq!(run(&["run", "--version"]).stdout, "");
    let without = Dispatcher::builder("tool")
        .registry(Registry::from_commands([&RUN]).unwrap())
        .build();
    assert_eq!(
        testing::run(&without, ["--version"]).status,
        ExitStatus::Usage
    );
}

#[test]
fn a_group_alone_lists_its_commands() {
    for words in [
        &["groups"][..],
        &["GROUPS"],
        &["help", "groups"],
        &["groups", "--help"],
        &["groups", "-h"],
    ] {
        let outcome = run(words);
        assert_eq!(outcome.stdout, GROUP, "{words:?}");
        assert_eq!(outcome.stderr, "");
        assert_eq!(outcome.status, ExitStatus::Success);
    }
}

#[test]
fn a_group_of_aliases_is_a_group() {
    let outcome = run(&["container"]);
    assert!(
        outcome
            .stdout
            .contains("\n  container ls   List containers [aliases: ps]\n"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("\nCommon Commands:\n"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn an_unknown_name_is_an_error_with_help_on_standard_error() {
    let outcome = run(&["rnu", "x"]);
    assert_eq!(outcome.stdout, "");
    assert_eq!(
        outcome.stderr,
        format!("Error: Command not found: rnu\n\nDid you mean:\n  run\n\n{HELP}")
    );
    assert_eq!(outcome.status, ExitStatus::Usage);
    assert_eq!(run(&["help", "rnu"]), outcome);

    let outcome = run(&["frobnicate"]);
    assert_eq!(
        outcome.stderr,
        format!("Error: Command not found: frobnicate\n\n{HELP}")
    );
}

#[test]
fn an_unknown_name_in_a_group_names_both() {
    let outcome = run(&["groups", "craete"]);
    let expected = format!(
        "Error: Command not found: groups craete\n\nDid you mean:\n  groups create\n\n{GROUP}"
    );
    assert_eq!(outcome.stderr, expected);
    assert_eq!(outcome.status, ExitStatus::Usage);
    assert_eq!(run(&["help", "groups", "craete"]), outcome);
    assert!(
        run(&["groups", "-x"])
            .stderr
            .starts_with("Error: Command not found: groups -x\n")
    );
    assert!(
        run(&["groups", "--", "create"])
            .stderr
            .starts_with("Error: Command not found: groups --\n")
    );
}

#[test]
fn names_of_several_words_are_suggested() {
    assert!(
        run(&["grups", "create"])
            .stderr
            .contains("\n  groups create\n")
    );
    assert!(run(&["grups"]).stderr.contains("\n  groups\n"));
    assert!(
        run(&["contaner", "run"])
            .stderr
            .contains("\n  container run\n")
    );
}

#[test]
fn odd_names_are_quoted() {
    for (word, shown) in [
        ("", "\"\""),
        ("\x1b[2J", "\"\\u{1b}[2J\""),
        ("a\nb", "\"a\\nb\""),
        ("run\u{200b}", "\"run\\u{200b}\""),
    ] {
        let outcome = run(&[word]);
        let expected = format!("Error: Command not found: {shown}\n");
        assert!(outcome.stderr.starts_with(&expected), "{}", outcome.stderr);
        assert_eq!(outcome.status, ExitStatus::Usage);
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf_8_is_escaped() {
    use std::os::unix::ffi::OsStringExt;
    let outcome = testing::run(&dispatcher(), [OsString::from_vec(b"\xffrun".to_vec())]);
    assert!(
        outcome
            .stderr
            .starts_with("Error: Command not found: \"\\xFFrun\"\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_unknown_global_option_is_a_usage_error() {
    let outcome = run(&["-x", "run"]);
    assert_eq!(
        outcome.stderr,
        "Error: unknown option: -x\n\nRun 'tool help' for more information.\n"
    );
    assert_eq!(outcome.status, ExitStatus::Usage);
}

#[test]
fn what_is_hidden_is_not_listed_and_still_described() {
    assert!(!HELP.contains("secret"));
    assert_eq!(run(&["secret"]).status, ExitStatus::Success);
    assert!(run(&["help", "secret"]).stdout.contains("Not shown"));
    // A group of hidden commands gives itself away no more than they do.
    assert!(
        run(&["inside"])
            .stderr
            .starts_with("Error: Command not found: inside\n")
    );
    assert!(!run(&["secrt"]).stderr.contains("secret"));
}

#[test]
fn help_of_a_command_that_parses_its_own_words() {
    let expected = "\
Usage: tool run [ARG...]

Create and run a container

The image is pulled if it is not there.

Aliases: container run
";
    for words in [
        &["help", "run"][..],
        &["help", "container", "run"],
        &["help", "r"],
        &["help", "run", "more"],
    ] {
        let outcome = run(words);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.status),
            (expected, ExitStatus::Success)
        );
    }
    // Its own `--help` is its own.
    assert_eq!(run(&["run", "--help"]).stdout, "");
}

#[test]
fn a_linked_command_called_help_goes_first() {
    static OWN: Command = Command::new(
        "help",
        "My own",
        |cx| {
            use std::io::Write;
            writeln!(cx.out(), "mine")?;
            Ok(ExitStatus::Success)
        },
        byname::origin!(),
    );
    let dispatcher = Dispatcher::builder("tool")
        .registry(Registry::from_commands([&OWN]).unwrap())
        .build();
    assert_eq!(testing::run(&dispatcher, ["help"]).stdout, "mine\n");
}

#[test]
fn help_is_wrapped_to_the_width() {
    let narrow = |columns: &str| {
        testing::run_with(
            &dispatcher(),
            ["help"],
            b"",
            Environment::from_iter([("COLUMNS", columns)]),
        )
        .stdout
    };
    let text = narrow("40");
    assert!(
        text.contains("  ps   List containers [aliases:\n       container ls]\n"),
        "{text}"
    );
    assert!(
        text.lines().skip(1).all(|line| line.chars().count() <= 40),
        "{text}"
    );
    assert_eq!(narrow("200"), HELP);
}

#[test]
fn colours_are_for_those_who_want_them() {
    let with = |name: &str| {
        testing::run_with(
            &dispatcher(),
            ["rnu"],
            b"",
            Environment::from_iter([(name, "1")]),
        )
    };
    assert!(!with("CLICOLOR").stderr.contains('\x1b'));
    let forced = with("CLICOLOR_FORCE").stderr;
    assert!(
        forced.starts_with("\x1b[1m\x1b[31mError:\x1b[0m Command not found: rnu"),
        "{forced:?}"
    );
    let plain: String =
        forced
            .split("\x1b[")
            .enumerate()
            .fold(String::new(), |text, (nth, part)| {
                text + if nth == 0 {
                    part
                } else {
                    part.split_once('m').unwrap().1
                }
            });
    assert_eq!(plain, with("NO_COLOR").stderr);
}

#[test]
fn another_programs_help_can_list_the_commands() {
    let list = dispatcher().command_list(80);
    assert!(
        list.starts_with("Common Commands:\n  ps   List containers"),
        "{list}"
    );
    assert!(
        list.ends_with("Groups:\n  container  ls, run\n  groups     create, rm\n"),
        "{list}"
    );
}

#[test]
fn the_host_can_answer_instead() {
    fn answer(cx: &mut Context, unresolved: &Unresolved) -> anyhow::Result<ExitStatus> {
        use std::io::Write;
        let text = format!("{} {:?}\n", unresolved.name(), cx.args());
        cx.err().write_all(text.as_bytes())?;
        match unresolved {
            Unresolved::Unknown { .. } => Ok(ExitStatus::Code(9)),
            other => other.answer(cx),
        }
    }
    let registry = Registry::from_commands([&CREATE]).unwrap();
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry)
        .fallback(answer)
        .build();
    let outcome = testing::run(&dispatcher, ["nope", "-x"]);
    assert_eq!(
        (outcome.stderr.as_str(), outcome.status),
        ("nope [\"nope\", \"-x\"]\n", ExitStatus::Code(9))
    );
    let outcome = testing::run(&dispatcher, ["groups"]);
    assert_eq!(
        (outcome.stderr.as_str(), outcome.status),
        ("groups [\"groups\"]\n", ExitStatus::Success)
    );
    assert!(outcome.stdout.starts_with("Usage: tool groups COMMAND"));
}

#[test]
fn an_empty_program_still_has_help() {
    let dispatcher = Dispatcher::builder("tool")
        .registry(Registry::from_commands([]).unwrap())
        .build();
    let outcome = testing::run(&dispatcher, [""; 0]);
    assert!(
        outcome
            .stdout
            .starts_with("Usage: tool [OPTIONS] COMMAND [ARG...]\n\nGlobal Options:\n")
    );
    assert_eq!(testing::run(&dispatcher, ["x"]).status, ExitStatus::Usage);
}
