//! Global options of a host without clap, and of one with it.

use std::ffi::OsString;
use std::io::Write;

use byname::testing::{self, Outcome};
use byname::{Command, Context, Dispatcher, ExitStatus, Registry, UsageError};

static SHOW: Command =
    Command::new("show", "Show the globals", show, byname::origin!()).raw_words();

#[derive(Debug)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
struct Globals {
    /// Engine to talk to
    #[cfg_attr(feature = "clap", arg(short = 'H', long, value_name = "ENDPOINT"))]
    host: Option<String>,
    /// Say more
    #[cfg_attr(feature = "clap", arg(short = 'D', long))]
    debug: bool,
}

fn show(cx: &mut Context) -> anyhow::Result<ExitStatus> {
    let globals = cx
        .globals::<Globals>()
        .expect("they are parsed before the command runs");
    let text = format!("{:?} {} {:?}\n", globals.host, globals.debug, cx.args());
    cx.out().write_all(text.as_bytes())?;
    Ok(ExitStatus::Success)
}

fn by_hand(cx: &mut Context, words: &[OsString]) -> anyhow::Result<usize> {
    let mut globals = Globals {
        host: None,
        debug: false,
    };
    let mut taken = 0;
    while let Some(word) = words.get(taken).and_then(|word| word.to_str()) {
        match word {
            "-D" | "--debug" => globals.debug = true,
            "-H" | "--host" => {
                taken += 1;
                let value = words.get(taken).and_then(|word| word.to_str());
                globals.host = Some(
                    value
                        .ok_or_else(|| UsageError::new("--host wants a value"))?
                        .to_owned(),
                );
            }
            _ => break,
        }
        taken += 1;
    }
    cx.set_globals(globals);
    Ok(taken)
}

fn without_clap(words: &[&str]) -> Outcome {
    let registry = Registry::from_commands([&SHOW]).unwrap();
    testing::run(
        &Dispatcher::builder("tool")
            .version("tool 1")
            .registry(registry)
            .raw_globals(by_hand)
            .build(),
        words,
    )
}

#[test]
fn a_function_takes_its_words() {
    assert_eq!(
        without_clap(&["-D", "-H", "x", "show", "-D"]).stdout,
        "Some(\"x\") true [\"-D\"]\n"
    );
    assert_eq!(without_clap(&["show"]).stdout, "None false []\n");
    assert_eq!(without_clap(&["-D", "--", "show"]).stdout, "None true []\n");
    assert_eq!(without_clap(&["-D", "--version"]).stdout, "tool 1\n");
    assert!(
        without_clap(&["-D", "-h"])
            .stdout
            .starts_with("Usage: tool ")
    );
}

#[test]
fn a_function_refuses_words() {
    let outcome = without_clap(&["-H"]);
    assert_eq!(
        outcome.stderr,
        "Error: --host wants a value\n\nRun 'tool help' for more information.\n"
    );
    assert_eq!(outcome.status, ExitStatus::Usage);
    assert_eq!(
        without_clap(&["-x"]).stderr,
        "Error: unknown option: -x\n\nRun 'tool help' for more information.\n"
    );
}

#[test]
fn a_function_that_claims_too_many_words_gets_all() {
    let registry = Registry::from_commands([&SHOW]).unwrap();
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry)
        .raw_globals(|_, _| Ok(99))
        .build();
    assert!(
        testing::run(&dispatcher, ["show"])
            .stdout
            .starts_with("Usage: tool ")
    );
}

#[cfg(feature = "clap")]
mod with_clap {
    use super::*;

    fn apply(globals: &Globals, cx: &mut Context) -> anyhow::Result<()> {
        anyhow::ensure!(globals.host.as_deref() != Some("bad"), "bad host");
        if globals.debug {
            writeln!(cx.err(), "debugging")?;
        }
        Ok(())
    }

    fn run<W: Into<OsString> + Clone>(words: &[W]) -> Outcome {
        let registry = Registry::from_commands([&SHOW]).unwrap();
        let builder = Dispatcher::builder("tool")
            .version("tool 1")
            .registry(registry);
        testing::run(&builder.globals(apply).build(), words.to_vec())
    }

    #[test]
    fn options_end_at_the_first_operand() {
        assert_eq!(
            run(&["-D", "-Hx", "show", "-D", "--", "-v"]).stdout,
            "Some(\"x\") true [\"-D\", \"--\", \"-v\"]\n"
        );
        assert_eq!(
            run(&["--host=x", "show", "--host", "y"]).stdout,
            "Some(\"x\") false [\"--host\", \"y\"]\n"
        );
        assert_eq!(run(&["show", "--help"]).stdout, "None false [\"--help\"]\n");
        assert_eq!(
            run(&["--", "show", "--", "x"]).stdout,
            "None false [\"--\", \"x\"]\n"
        );
        assert_eq!(
            run(&["show", "", "a b"]).stdout,
            "None false [\"\", \"a b\"]\n"
        );
        assert!(
            run(&[""])
                .stderr
                .starts_with("Error: Command not found: \"\"\n")
        );
        assert!(
            run(&["-"])
                .stderr
                .starts_with("Error: Command not found: -\n")
        );
        assert!(
            run(&["--", "-x"])
                .stderr
                .starts_with("Error: Command not found: -x\n")
        );
    }

    #[cfg(unix)]
    #[test]
    fn words_need_not_be_utf_8() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"\xff".to_vec());
        assert_eq!(
            run(&["show".into(), odd.clone()]).stdout,
            "None false [\"\\xFF\"]\n"
        );
        assert!(
            run(&[odd])
                .stderr
                .starts_with("Error: Command not found: \"\\xFF\"\n")
        );
    }

    #[test]
    fn they_are_applied_before_the_lookup() {
        let outcome = run(&["-D", "nope"]);
        assert!(
            outcome
                .stderr
                .starts_with("debugging\nError: Command not found: nope\n"),
            "{}",
            outcome.stderr
        );
        let outcome = run(&["-H", "bad", "nope"]);
        assert_eq!(
            (outcome.stderr.as_str(), outcome.status),
            ("Error: bad host\n", ExitStatus::Failure)
        );
    }

    #[test]
    fn an_unknown_one_is_a_usage_error() {
        let outcome = run(&["--hots", "x", "show"]);
        assert_eq!(outcome.status, ExitStatus::Usage);
        assert!(
            outcome
                .stderr
                .starts_with("error: unexpected argument '--hots' found\n"),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome
                .stderr
                .contains("Usage: tool [OPTIONS] COMMAND [ARG...]"),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "");
    }

    #[test]
    fn help_shows_them() {
        let expected = "\
Usage: tool [OPTIONS] COMMAND [ARG...]

Commands:
  show  Show the globals

Global Options:
  -H, --host <ENDPOINT>  Engine to talk to
  -D, --debug            Say more
  -h, --help             Print help
  -v, --version          Print version

Run 'tool help COMMAND' for more information on a command.
";
        for words in [&["--help"][..], &["-D", "-h", "show"], &["help"], &[]] {
            let outcome = run(words);
            assert_eq!(
                (outcome.stdout.as_str(), outcome.status),
                (expected, ExitStatus::Success),
                "{words:?}"
            );
        }
        assert_eq!(run(&["-D", "-v"]).stdout, "tool 1\n");
    }

    #[test]
    fn a_letter_or_name_that_the_host_uses_is_its_own() {
        #[derive(clap::Args)]
        struct Own {
            /// Name of the host
            #[arg(short)]
            hostname: Option<String>,
            /// Say more
            #[arg(short, long)]
            version: bool,
        }
        let registry = Registry::from_commands([&SHOW]).unwrap();
        let dispatcher = Dispatcher::builder("tool")
            .version("tool 1")
            .registry(registry)
            .globals::<Own>(|_, _| Ok(()))
            .build();
        let help = testing::run(&dispatcher, ["--help"]).stdout;
        assert!(help.contains("\n      --help     Print help\n"), "{help}");
        assert!(help.contains("\n  -v, --version  Say more\n"), "{help}");
        assert!(
            testing::run(&dispatcher, ["-v", "-h", "x"])
                .stdout
                .starts_with("Usage: tool")
        );
    }
}
