//! `#[arg(env)]` reads the environment of the dispatch, with the values and the conflicts that clap has for the process's.
#![cfg(feature = "clap")]

use std::io::Write;

use byname::testing::{self, Outcome};
use byname::{Context, Dispatcher, Environment, ExitStatus, Globals};

#[derive(clap::Args, Debug)]
struct Host {
    /// Engine to talk to
    #[arg(short = 'H', long, env = "HELLO_HOST")]
    host: Option<String>,
}

#[derive(clap::Args, Debug)]
struct Create {
    /// Number of members at most
    #[arg(short, long, env = "HELLO_LIMIT", default_value_t = 10)]
    limit: u32,
    /// Members
    #[arg(long, env = "HELLO_MEMBERS", value_delimiter = ',')]
    member: Vec<String>,
    /// Say more
    #[arg(short, env = "HELLO_VERBOSE")]
    verbose: bool,
    /// Say nothing
    #[arg(long, conflicts_with = "limit")]
    quiet: bool,
    /// How loudly
    #[arg(long, env = "HELLO_LOUD", action = clap::ArgAction::Count, hide_env_values = true)]
    loud: u8,
    /// A token
    #[arg(long, env = "HELLO_TOKEN", hide_env = true)]
    token: Option<String>,
    /// The group's name
    #[arg(env = "HELLO_NAME")]
    name: String,
}

/// Create a group
#[byname::command("groups create")]
fn create(cx: &mut Context, args: Create, host: Globals<Host>) -> anyhow::Result<()> {
    let Create {
        limit,
        member,
        verbose,
        quiet,
        loud,
        token,
        name,
    } = args;
    let host = &host.host;
    writeln!(
        cx.out(),
        "{name} {limit} {member:?} {verbose} {quiet} {loud} {token:?} {host:?}"
    )?;
    Ok(())
}

#[derive(clap::Args)]
struct Admin {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Reset it
    Reset {
        /// How deep
        #[arg(long, env = "HELLO_DEPTH", default_value_t = 1)]
        depth: u8,
    },
}

/// Look after it
#[byname::command("admin")]
fn admin(cx: &mut Context, args: Admin) -> anyhow::Result<()> {
    let Task::Reset { depth } = args.task;
    Ok(writeln!(cx.out(), "{depth}")?)
}

fn tool(variables: &[(&str, &str)], words: &[&str]) -> Outcome {
    let host = Dispatcher::builder("hello")
        .globals::<Host>(|_, _| Ok(()))
        .build();
    let environment = variables.iter().copied().collect();
    testing::run_with(&host, words, b"", environment)
}

fn prints(variables: &[(&str, &str)], words: &[&str], expected: &str) {
    let outcome = tool(variables, words);
    assert_eq!(
        (outcome.stdout.trim_end(), outcome.stderr.as_str()),
        (expected, ""),
        "{variables:?} {words:?}"
    );
}

#[test]
fn a_variable_stands_for_what_the_words_do_not_have() {
    let create = ["groups", "create", "x"];
    prints(&[], &create, "x 10 [] false false 0 None None");
    prints(
        &[("HELLO_LIMIT", "3")],
        &create,
        "x 3 [] false false 0 None None",
    );
    prints(
        &[("HELLO_LIMIT", "3"), ("HELLO_MEMBERS", "ann")],
        &["groups", "create", "x", "--limit", "4"],
        "x 4 [\"ann\"] false false 0 None None",
    );
    prints(
        &[("HELLO_MEMBERS", "ann,bob")],
        &create,
        "x 10 [\"ann\", \"bob\"] false false 0 None None",
    );
    prints(
        &[("HELLO_MEMBERS", "ann,bob")],
        &["groups", "create", "x", "--member=eve"],
        "x 10 [\"eve\"] false false 0 None None",
    );
    prints(
        &[("HELLO_TOKEN", "-t=1")],
        &create,
        "x 10 [] false false 0 Some(\"-t=1\") None",
    );
}

#[test]
fn a_flags_variable_is_true_or_false() {
    let create = ["groups", "create", "x"];
    prints(
        &[("HELLO_VERBOSE", "true")],
        &create,
        "x 10 [] true false 0 None None",
    );
    prints(
        &[("HELLO_VERBOSE", "false")],
        &create,
        "x 10 [] false false 0 None None",
    );
    prints(
        &[("HELLO_LOUD", "3")],
        &create,
        "x 10 [] false false 3 None None",
    );
    let wrong = tool(&[("HELLO_VERBOSE", "maybe")], &create);
    assert!(
        wrong
            .stderr
            .starts_with("error: invalid value 'maybe' for '-v"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn an_operand_and_a_global_option_may_have_one() {
    let name = [("HELLO_NAME", "-staff")];
    prints(
        &name,
        &["groups", "create"],
        "-staff 10 [] false false 0 None None",
    );
    prints(
        &name,
        &["groups", "create", "-l", "2", "x"],
        "x 2 [] false false 0 None None",
    );
    prints(
        &[("HELLO_HOST", "h"), ("HELLO_NAME", "x")],
        &["groups", "create"],
        "x 10 [] false false 0 None Some(\"h\")",
    );
    prints(
        &[("HELLO_HOST", "h")],
        &["--host", "mine", "groups", "create", "x"],
        "x 10 [] false false 0 None Some(\"mine\")",
    );
}

#[test]
fn its_values_are_checked_and_conflict_as_if_typed() {
    let wrong = tool(&[("HELLO_LIMIT", "many")], &["groups", "create", "x"]);
    assert!(
        wrong
            .stderr
            .starts_with("error: invalid value 'many' for '--limit <LIMIT>'"),
        "{}",
        wrong.stderr
    );
    assert_eq!(wrong.status, ExitStatus::Usage);
    let both = tool(
        &[("HELLO_LIMIT", "3")],
        &["groups", "create", "--quiet", "x"],
    );
    assert!(
        both.stderr.contains("cannot be used with"),
        "{}",
        both.stderr
    );
    prints(
        &[],
        &["groups", "create", "--quiet", "x"],
        "x 10 [] false true 0 None None",
    );
}

#[test]
fn a_nested_subcommands_variable_counts() {
    prints(&[("HELLO_DEPTH", "7")], &["admin", "reset"], "7");
    prints(
        &[("HELLO_DEPTH", "7")],
        &["admin", "reset", "--depth", "2"],
        "2",
    );
    prints(&[], &["admin", "reset"], "1");
}

#[test]
fn help_shows_the_values_of_this_environment() {
    let help = tool(
        &[
            ("HELLO_LIMIT", "3"),
            ("HELLO_TOKEN", "secret"),
            ("HELLO_LOUD", "2"),
        ],
        &["groups", "create", "--help"],
    )
    .stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("Number of members at most [env: HELLO_LIMIT=3] [default: 10]"),
        "{help}"
    );
    assert!(help.contains("How loudly [env: HELLO_LOUD] "), "{help}");
    assert!(help.contains("Members [env: HELLO_MEMBERS=] "), "{help}");
    assert!(!help.contains("secret"), "{help}");
    let program = tool(&[("HELLO_HOST", "h")], &["help"]).stdout;
    assert!(
        program.contains("Engine to talk to [env: HELLO_HOST=h]"),
        "{program}"
    );
}

#[test]
fn the_process_has_no_say() {
    // Cargo sets this one for every test, so it is in the process's environment.
    #[derive(clap::Args)]
    struct Show {
        #[arg(long, env = "CARGO_PKG_NAME")]
        name: Option<String>,
    }
    static SHOW: byname::Command = byname::Command::new(
        "show",
        "Show it",
        |cx| {
            let show: Show = byname::parse(cx)?;
            writeln!(cx.out(), "{:?}", show.name)?;
            Ok(ExitStatus::Success)
        },
        byname::origin!(),
    )
    .parser(byname::parser::<Show>);
    let registry = byname::Registry::from_commands([&SHOW]).unwrap();
    let host = Dispatcher::builder("hello").registry(registry).build();
    assert_eq!(testing::run(&host, ["show"]).stdout, "None\n");
    let (out, captured) = byname::Output::buffer();
    let streams = byname::Streams::new(byname::Input::empty(), out.clone(), out);
    let mut cx = Context::new(streams, Environment::process());
    assert_eq!(host.dispatch(["show"], &mut cx), ExitStatus::Success);
    assert_eq!(captured.text(), "Some(\"byname\")\n");
}
