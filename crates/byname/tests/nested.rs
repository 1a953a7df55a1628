//! clap subcommands inside of a command's words keep their own `--help` and `help`.
#![cfg(feature = "clap")]

use std::io::Write;

use byname::testing::{self, Outcome};
use byname::{Context, Dispatcher, ExitStatus};

#[derive(clap::Args)]
struct Groups {
    /// Where groups are kept
    #[arg(long)]
    dir: Option<String>,
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand, Debug)]
enum Task {
    /// Create a group
    Create {
        /// Host of the group
        #[arg(short = 'h', long)]
        host: Option<String>,
        /// The group's name
        name: String,
    },
    /// Look after members
    Members {
        #[command(subcommand)]
        task: Members,
    },
}

#[derive(clap::Subcommand, Debug)]
enum Members {
    /// Add a member
    Add {
        /// Who
        user: String,
    },
}

/// Keep groups
#[byname::command("groups")]
fn groups(cx: &mut Context, args: Groups) -> anyhow::Result<()> {
    Ok(writeln!(cx.out(), "{:?} {:?}", args.dir, args.task)?)
}

fn tool(words: &[&str]) -> Outcome {
    testing::run(&Dispatcher::builder("hello").build(), words)
}

const CREATE: &str = "\
Create a group

Usage: hello groups create [OPTIONS] <NAME>

Arguments:
  <NAME>  The group's name

Options:
  -h, --host <HOST>  Host of the group
      --help         Print help
";

const ADD: &str = "\
Add a member

Usage: hello groups members add <USER>

Arguments:
  <USER>  Who

Options:
  -h, --help  Print help
";

#[test]
fn each_has_its_own_help() {
    for (words, expected) in [
        (&["groups", "create", "--help"][..], CREATE),
        (&["groups", "--dir", "create", "create", "--help"], CREATE),
        (&["groups", "help", "create"], CREATE),
        (&["help", "groups", "create"], CREATE),
        (&["groups", "members", "add", "--help"], ADD),
        (&["groups", "members", "add", "-h"], ADD),
        (&["groups", "members", "help", "add"], ADD),
        (&["groups", "help", "members", "add"], ADD),
        (&["help", "groups", "members", "add"], ADD),
    ] {
        let outcome = tool(words);
        assert_eq!(
            (
                outcome.stdout.as_str(),
                outcome.stderr.as_str(),
                outcome.status
            ),
            (expected, "", ExitStatus::Success),
            "{words:?}"
        );
    }
}

#[test]
fn the_commands_help_lists_them() {
    for words in [
        &["groups", "--help"][..],
        &["groups", "help"],
        &["help", "groups"],
    ] {
        let help = tool(words).stdout;
        assert!(
            help.starts_with("Keep groups\n\nUsage: hello groups [OPTIONS] <COMMAND>\n"),
            "{words:?}: {help}"
        );
        assert!(help.contains("\n  create   Create a group\n"), "{help}");
        assert!(help.contains("\n  members  Look after members\n"), "{help}");
    }
}

#[test]
fn they_still_run_and_refuse() {
    assert_eq!(
        tool(&["groups", "create", "-h", "x", "staff"]).stdout,
        "None Create { host: Some(\"x\"), name: \"staff\" }\n"
    );
    let outcome = tool(&["groups", "members", "add"]);
    assert_eq!(outcome.status, ExitStatus::Usage);
    assert!(
        outcome
            .stderr
            .contains("Usage: hello groups members add <USER>"),
        "{}",
        outcome.stderr
    );
    assert_eq!(tool(&["groups", "nope"]).status, ExitStatus::Usage);
}

#[test]
fn the_registry_is_sound() {
    testing::assert_registry();
}
