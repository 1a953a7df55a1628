//! `groups create`: create a group with its first members.

use std::io::Write as _;

use byname::{Context, ExitStatus, ResultExt as _, command};
use clap::Args;

/// What `groups create` takes; the comments are its help.
#[derive(Args)]
struct Create {
    /// Add a member; may be given more than once
    #[arg(short, long = "member", value_name = "USER")]
    members: Vec<String>,
    /// Name of the group: lower-case letters and digits
    name: String,
}

/// Create a group
#[command("groups create", alias = "groups add")]
fn create(cx: &mut Context, args: Create) -> anyhow::Result<ExitStatus> {
    check_name(&args.name)
        .hint("Use lower-case letters and digits, such as `admins` or `team7`.")?;
    match args.members.as_slice() {
        [] => writeln!(cx.out(), "Created group {}, empty", args.name)?,
        members => writeln!(
            cx.out(),
            "Created group {} of {}",
            args.name,
            members.join(", ")
        )?,
    }
    Ok(ExitStatus::Success)
}

/// A name is one lower-case ASCII letter, then letters and digits.
fn check_name(name: &str) -> anyhow::Result<()> {
    let mut bytes = name.bytes();
    let legal = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    anyhow::ensure!(legal, "not a name for a group: {name:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names() {
        for name in ["a", "admins", "team7"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "7team", "Admins", "a b", "a-b", "ä"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
