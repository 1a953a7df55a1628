//! Commands with typed arguments: their help, their errors, and who words them.
#![cfg(feature = "clap")]

use std::io::Write;

use byname::testing::{self, Outcome};
use byname::{
    Context, Dispatcher, Environment, ExitStatus, FromContext, Need, ParseWords, RawWords,
    StatusError, WordParser,
};

#[derive(clap::Args)]
struct Run {
    /// Name of the container's host
    #[arg(short = 'h', long)]
    hostname: Option<String>,
    /// Image and command
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Create and run a new container from an image.
///
/// The image is pulled if it is not there.
#[byname::command("run", alias = "container run")]
fn run(cx: &mut Context, Worded(args): Worded<Run>) -> anyhow::Result<ExitStatus> {
    let path = cx.command_path();
    writeln!(cx.out(), "{path} {:?} {:?}", args.hostname, args.words)?;
    Ok(ExitStatus::from_code(7))
}

/// Words whose errors are another program's.
struct Worded<T>(T);

impl<T: ParseWords> FromContext for Worded<T> {
    const PARSER: Option<WordParser> = Some(WordParser::Clap(T::parser));
    const NEEDS: &'static [Need] = &[];

    fn from_context(cx: &mut Context) -> anyhow::Result<Worded<T>> {
        let parsed = T::parse_words(cx, |parser| parser);
        parsed
            .map(Worded)
            .map_err(|error| match error.downcast_ref::<clap::Error>() {
                Some(refused) if refused.exit_code() != 0 => run_error(refused, cx),
                _ => error,
            })
    }
}

fn run_error(error: &clap::Error, cx: &Context) -> anyhow::Error {
    let text = format!(
        "tool: {:?}\n\nRun '{} --help'",
        error.kind(),
        cx.command_path()
    );
    StatusError::silent(ExitStatus::Code(125))
        .with_text(text)
        .into()
}

#[derive(clap::Parser)]
struct Stop {
    /// Seconds to wait
    #[arg(long, value_parser = clap::value_parser!(u8))]
    time: Option<u8>,
}

/// Stop a container
#[byname::command("stop")]
fn stop(_: &mut Context, args: Stop) -> anyhow::Result<()> {
    anyhow::ensure!(args.time != Some(9), "nine is too long");
    Ok(())
}

/// Wait for nothing
#[byname::command("raw wait", hidden)]
#[cfg(not(any()))]
fn raw(cx: &mut Context, RawWords(words): RawWords) -> anyhow::Result<ExitStatus> {
    writeln!(cx.out(), "{words:?}")?;
    Ok(ExitStatus::Success)
}

/// Never compiled
#[byname::command("gone")]
#[cfg(any())]
fn gone(cx: &mut Context) -> anyhow::Result<ExitStatus> {
    does_not_exist(cx)
}

fn tool(words: &[&str]) -> Outcome {
    testing::run(&Dispatcher::builder("tool").build(), words)
}

#[test]
fn arguments_are_parsed() {
    let outcome = tool(&["container", "run", "-h", "box", "img", "-h", "--", "--help"]);
    assert_eq!(
        outcome.stdout,
        "tool container run Some(\"box\") [\"img\", \"-h\", \"--\", \"--help\"]\n"
    );
    assert_eq!(outcome.status, ExitStatus::Code(7));
    assert_eq!(tool(&["raw", "wait", "--help"]).stdout, "[\"--help\"]\n");
}

#[test]
fn a_unit_result_is_success_and_an_error_is_one() {
    assert_eq!(tool(&["stop"]).status, ExitStatus::Success);
    assert_eq!(
        tool(&["stop", "--time", "9"]).stderr,
        "Error: nine is too long\n"
    );
}

#[test]
fn help_is_the_parsers_and_goes_to_the_output() {
    let expected = "\
Create and run a new container from an image

The image is pulled if it is not there.

Usage: tool run [OPTIONS] <WORDS>...

Arguments:
  <WORDS>...  Image and command

Options:
  -h, --hostname <HOSTNAME>  Name of the container's host
      --help                 Print help

Aliases: container run
";
    for words in [&["run", "--help"][..], &["help", "run"]] {
        let outcome = tool(words);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.status),
            (expected, ExitStatus::Success),
            "{words:?}"
        );
        assert_eq!(outcome.stderr, "");
    }
    let typed = tool(&["container", "run", "--help"]).stdout;
    assert!(
        typed.contains("Usage: tool container run [OPTIONS] <WORDS>...\n"),
        "{typed}"
    );
    assert!(
        tool(&["stop", "-h"])
            .stdout
            .starts_with("Stop a container\n\nUsage: tool stop [OPTIONS]\n")
    );
}

#[test]
fn an_error_is_the_parsers_and_a_usage_error() {
    let outcome = tool(&["stop", "--time", "never"]);
    assert_eq!(outcome.status, ExitStatus::Usage);
    assert!(
        outcome
            .stderr
            .starts_with("error: invalid value 'never' for '--time <TIME>'"),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stdout, "");
}

#[test]
fn a_command_words_its_parsers_errors() {
    let outcome = tool(&["container", "run"]);
    assert_eq!(
        outcome.stderr,
        "tool: MissingRequiredArgument\n\nRun 'tool container run --help'\n"
    );
    assert_eq!(outcome.status, ExitStatus::Code(125));
}

#[test]
fn what_is_compiled_out_is_not_registered() {
    assert_eq!(tool(&["gone"]).status, ExitStatus::Usage);
}

#[test]
fn the_parsers_text_is_wrapped_and_coloured_as_ours() {
    let with = |name: &str, value: &str| {
        let environment = Environment::from_iter([(name, value)]);
        testing::run_with(
            &Dispatcher::builder("tool").build(),
            ["run", "--help"],
            b"",
            environment,
        )
        .stdout
    };
    assert!(
        with("COLUMNS", "30")
            .lines()
            .all(|line| line.chars().count() <= 36)
    );
    assert!(with("CLICOLOR_FORCE", "1").contains("\x1b["));
    assert!(!with("NO_COLOR", "1").contains('\x1b'));
}

#[test]
fn the_registry_is_sound() {
    testing::assert_registry();
}
