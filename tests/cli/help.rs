//! Help, version and unknown commands.

use crate::tool;

#[test]
fn no_words_and_every_form_of_help_print_the_list_on_standard_output() {
    let expected = tool().run(["help"]);
    assert_eq!(expected.code, Some(0));
    let text = expected.out();
    assert!(
        text.starts_with("Usage: tool [OPTIONS] COMMAND [ARG...]\n"),
        "{text}"
    );
    assert!(
        text.contains("  run      Create and run a new container from an image"),
        "{text}"
    );
    for option in ["--config", "--debug ", "--host", "--log-level", "--version"] {
        assert!(text.contains(option), "{option} in {text}");
    }
    for words in [&[][..], &["--help"], &["-h"], &["-D", "--help"]] {
        let outcome = tool().run(words);
        outcome.assert(0, &text, "");
    }
}

#[test]
fn a_command_has_one_help_under_all_its_names() {
    let help = tool().run(["help", "run"]);
    assert_eq!(
        (help.code, help.err().as_str()),
        (Some(0), ""),
        "{}",
        help.out()
    );
    assert!(
        help.out()
            .starts_with("Create and run a new container from an image\n"),
        "{}",
        help.out()
    );
    tool().run(["run", "--help"]).assert(0, &help.out(), "");
    let alias = tool().run(["container", "run", "--help"]);
    assert_eq!(alias.code, Some(0));
    assert!(
        alias.out().contains("Usage: tool container run "),
        "{}",
        alias.out()
    );
}

#[test]
fn a_group_alone_lists_its_commands() {
    let outcome = tool().run(["container"]);
    assert_eq!((outcome.code, outcome.err()), (Some(0), String::new()));
    let text = outcome.out();
    assert!(
        text.contains("  container run      Create and run a new container"),
        "{text}"
    );
}

#[test]
fn the_version_is_the_programs() {
    let version = concat!("tool version ", env!("CARGO_PKG_VERSION"), "\n");
    tool().run(["--version"]).assert(0, version, "");
    tool().run(["-v"]).assert(0, version, "");
}

#[test]
fn an_unknown_command_is_an_error_that_names_it_and_the_nearest() {
    // Docker 1.4 printed this on standard output and left with success.
    let outcome = tool().run(["rnu", "--rm", "busybox"]);
    assert_eq!((outcome.code, outcome.out().as_str()), (Some(2), ""));
    assert!(
        outcome.err().starts_with("Error: Command not found: rnu\n"),
        "{}",
        outcome.err()
    );
    let near = tool().run(["runn"]);
    assert!(
        near.err().contains("Did you mean") && near.err().contains("run"),
        "{}",
        near.err()
    );
}

#[test]
fn a_closed_output_is_no_panic() {
    let shell = harness::Program::new("/bin/sh").with_env("TOOL", env!("CARGO_BIN_EXE_tool"));
    let script = r#"exec 3>&1; { "$TOOL" help; echo "$?" >&3; } | true"#;
    let outcome = shell.run(["-c", script]);
    // The pipe may have been read by nobody before or after the text was written to it.
    assert!(
        ["141\n", "0\n"].contains(&outcome.out().as_str()),
        "{outcome:?}"
    );
    assert_eq!(outcome.err(), "");
}
