//! Which words reach which command.

use std::ffi::OsString;
use std::io::Write;

use byname::testing::{self, Outcome};
use byname::{Alias, Command, Context, Dispatcher, ExitStatus, Registry, Resolution, Unresolved};

/// Says which command ran and with what.
fn echo(cx: &mut Context) -> anyhow::Result<ExitStatus> {
    let text = format!("{} {:?}\n", cx.method_name(), cx.args());
    cx.out().write_all(text.as_bytes())?;
    Ok(ExitStatus::Success)
}

/// Commands with these names; `name=alias` gives one an alias.
fn registry(names: &[&str]) -> Result<Registry, byname::RegistryError> {
    Registry::from_commands(names.iter().map(|declared| {
        let declared: &'static str = String::leak((*declared).to_owned());
        let (name, alias) = declared
            .split_once('=')
            .map_or((declared, None), |(name, alias)| (name, Some(alias)));
        let aliases: Vec<Alias> = alias.into_iter().map(Alias::visible).collect();
        let command = Command::new(name, "Echo", echo, byname::origin!())
            .raw_words()
            .aliases(aliases.leak());
        &*Box::leak(Box::new(command))
    }))
}

fn run<W: Into<OsString>>(names: &[&str], words: impl IntoIterator<Item = W>) -> Outcome {
    testing::run(
        &Dispatcher::builder("tool")
            .registry(registry(names).unwrap())
            .build(),
        words,
    )
}

/// The words reach a command, which gets the arguments.
fn reaches(names: &[&str], words: &[&str], expected: &str) {
    let outcome = run(names, words);
    assert_eq!(
        outcome.stdout.trim_end(),
        expected,
        "{words:?} of {names:?}: {}",
        outcome.stderr
    );
    assert_eq!(outcome.status, ExitStatus::Success);
    assert_eq!(outcome.stderr, "");
}

/// The words reach nothing.
fn misses<W: Into<OsString> + Clone + std::fmt::Debug>(names: &[&str], words: &[W]) {
    let outcome = run(names, words.to_vec());
    assert_eq!(
        outcome.status,
        ExitStatus::Usage,
        "{words:?} of {names:?}: {}",
        outcome.stdout
    );
    assert!(
        outcome.stderr.starts_with("Error: "),
        "{words:?}: {}",
        outcome.stderr
    );
    assert_eq!(outcome.stdout, "");
}

#[test]
fn the_first_operand_starts_the_name_and_the_rest_is_the_commands() {
    reaches(&["run"], &["run"], "CmdRun []");
    reaches(
        &["run"],
        &["run", "-d", "--", "img", "--help"],
        r#"CmdRun ["-d", "--", "img", "--help"]"#,
    );
}

#[test]
fn case_does_not_matter() {
    for word in ["run", "RUN", "rUn", "Run"] {
        reaches(&["run"], &[word], "CmdRun []");
    }
    reaches(
        &["groups create"],
        &["Groups", "CREATE", "X"],
        r#"CmdGroupsCreate ["X"]"#,
    );
    // heck alone would see two words in `dryRun`.
    misses(&["dry-run"], &["dryRun"]);
    misses(&["dry run"], &["DryRun"]);
}

#[test]
fn words_that_heck_maps_to_a_name_are_not_that_name() {
    for word in [
        "../run",
        "-run",
        "run!",
        "run/",
        "run-",
        "run\u{200b}",
        " run",
        "run ",
        "r_un",
        "run.",
        "--run",
        "run--",
    ] {
        misses(&["run"], &[word]);
    }
    misses(&["a-1"], &["a1"]);
    misses(&["a1"], &["a-1"]);
    reaches(&["a-1"], &["a-1"], "CmdA1 []");
    misses(&["a 1"], &["a1"]);
    misses(&["dry-run"], &["dry--run"]);
    misses(&["dry-run"], &["dry_run"]);
    // Lower-casing `İ` or the Kelvin sign is not ASCII's business.
    misses(&["k"], &["\u{212a}"]);
}

#[test]
fn an_empty_word_is_no_name() {
    misses(&["run"], &[""]);
    misses(&["run"], &["", "run"]);
    reaches(&["run", "run x"], &["run", "", "x"], r#"CmdRun ["", "x"]"#);
}

#[cfg(unix)]
#[test]
fn a_word_that_is_not_utf_8_is_no_name_and_survives_as_an_argument() {
    use std::os::unix::ffi::OsStringExt;
    let word = OsString::from_vec(b"run\xff".to_vec());
    misses(&["run"], std::slice::from_ref(&word));
    let outcome = run(&["run"], [OsString::from("run"), word]);
    assert_eq!(outcome.stdout, "CmdRun [\"run\\xFF\"]\n");
}

#[test]
fn the_longest_name_wins() {
    let names = ["groups", "groups create", "groups create now"];
    reaches(&names, &["groups"], "CmdGroups []");
    reaches(&names, &["groups", "x"], r#"CmdGroups ["x"]"#);
    reaches(&names, &["groups", "create"], "CmdGroupsCreate []");
    reaches(
        &names,
        &["groups", "create", "then"],
        r#"CmdGroupsCreate ["then"]"#,
    );
    reaches(
        &names,
        &["groups", "create", "now", "x"],
        r#"CmdGroupsCreateNow ["x"]"#,
    );
    // Nothing in between is needed.
    reaches(&["a b c"], &["a", "b", "c"], "CmdABC []");
}

#[test]
fn a_word_that_is_none_ends_the_name() {
    let names = ["run", "run x"];
    reaches(&names, &["run", "--", "x"], r#"CmdRun ["--", "x"]"#);
    reaches(&names, &["run", "-x"], r#"CmdRun ["-x"]"#);
    reaches(&names, &["run", "x.y"], r#"CmdRun ["x.y"]"#);
    reaches(&names, &["run", "-", "x"], r#"CmdRun ["-", "x"]"#);
    reaches(&names, &["run", "x"], "CmdRunX []");
}

#[test]
fn two_words_never_reach_a_name_of_one() {
    misses(&["stop-all"], &["stop", "all"]);
    reaches(&["stop-all"], &["stop-all"], "CmdStopAll []");
    reaches(
        &["stop-all", "stop"],
        &["stop", "all"],
        r#"CmdStop ["all"]"#,
    );
}

#[test]
fn a_hyphen_reaches_a_name_of_two() {
    reaches(
        &["groups create"],
        &["groups-create", "x"],
        r#"CmdGroupsCreate ["x"]"#,
    );
    reaches(&["a b c"], &["a-b", "c"], "CmdABC []");
    reaches(&["a b c"], &["a", "b-c"], "CmdABC []");
    reaches(&["a b c"], &["a-b-c"], "CmdABC []");
    misses(&["a-b c"], &["a", "b", "c"]);
    misses(&["a-b c"], &["a", "b-c"]);
    reaches(&["a-b c"], &["a-b", "c"], "CmdABC []");
}

#[test]
fn commands_come_before_aliases() {
    // Even a longer alias: nothing takes words away from a command.
    reaches(&["run", "other=run x"], &["run", "x"], r#"CmdRun ["x"]"#);
    reaches(&["ps", "other=ps"], &["ps"], "CmdPs []");
    reaches(
        &["run=container run", "container=c"],
        &["container", "run"],
        r#"CmdContainer ["run"]"#,
    );
}

#[test]
fn an_alias_runs_its_command() {
    reaches(
        &["run=container run"],
        &["container", "run", "x"],
        r#"CmdRun ["x"]"#,
    );
    reaches(&["run=container run"], &["Container-Run"], "CmdRun []");
    reaches(&["a=x", "b=x y"], &["x", "y"], "CmdB []");
    reaches(&["a=x", "b=x y"], &["x", "z"], r#"CmdA ["z"]"#);
    misses(&["run=stop-all"], &["stop", "all"]);
}

#[test]
fn a_shadowed_alias_is_listed() {
    let registry =
        registry(&["run", "other=run x", "ps", "list=ps", "fine=container fine"]).unwrap();
    let shadowed: Vec<String> = registry
        .shadowed()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shadowed.len(), 2, "{shadowed:?}");
    assert!(
        shadowed[0].starts_with("alias 'ps' of 'list' (byname "),
        "{shadowed:?}"
    );
    assert!(
        shadowed[0].contains("is shadowed by 'ps' (byname "),
        "{shadowed:?}"
    );
    assert!(
        shadowed[1].starts_with("alias 'run x' of 'other'"),
        "{shadowed:?}"
    );
    assert_eq!(testing::problems(&registry).len(), 2);
}

#[test]
fn an_alias_that_repeats_its_own_command_is_listed() {
    static TWICE: Command = Command::new("run", "Run", echo, byname::origin!())
        .raw_words()
        .aliases(&[
            Alias::visible("run"),
            Alias::visible("go now"),
            Alias::hidden("go-now"),
        ]);
    let registry = Registry::from_commands([&TWICE]).unwrap();
    let shadowed: Vec<&str> = registry
        .shadowed()
        .iter()
        .map(|shadowed| shadowed.alias.name())
        .collect();
    assert_eq!(shadowed, ["go-now", "run"]);
}

#[test]
fn equal_method_names_are_refused_with_both_origins() {
    for names in [
        ["run", "run"],
        ["stop all", "stop-all"],
        ["a b-c", "a-b c"],
        ["a-1", "a1"],
        ["x=go", "y=go"],
    ] {
        let error = registry(&names).unwrap_err().to_string();
        let origin = format!("(byname {} at ", env!("CARGO_PKG_VERSION"));
        assert_eq!(error.matches(&origin).count(), 2, "{error}");
        assert_eq!(error.matches("resolution.rs:").count(), 2, "{error}");
        assert!(error.starts_with("duplicate command name: "), "{error}");
    }
    let error = registry(&["x=stop all", "y=stop-all"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("alias 'stop all' of 'x'") && error.contains("alias 'stop-all' of 'y'"),
        "{error}"
    );
    assert!(registry(&["dry-run", "dryrun"]).is_ok());
}

#[test]
fn all_duplicates_are_told_in_one_order() {
    let there = registry(&["b", "a", "b", "a"]).unwrap_err().to_string();
    let back = registry(&["a", "b", "a", "b"]).unwrap_err().to_string();
    assert_eq!(there, back);
    assert!(there.find("'a'").unwrap() < there.find("'b'").unwrap());
}

#[test]
fn commands_are_sorted() {
    let sorted = |names: &[&str]| -> Vec<&str> {
        registry(names)
            .unwrap()
            .commands()
            .iter()
            .map(|command| command.name())
            .collect()
    };
    assert_eq!(sorted(&["c", "a b", "a", "b"]), ["a", "a b", "b", "c"]);
    assert_eq!(sorted(&["b", "a", "a b", "c"]), ["a", "a b", "b", "c"]);
}

#[test]
fn a_resolution_says_how_many_words_it_took() {
    let registry = registry(&["run=container run"]).unwrap();
    let words: Vec<OsString> = ["container", "run", "x"].map(OsString::from).into();
    let Resolution::Command(found) = registry.resolve(&words) else {
        panic!("it resolves")
    };
    assert_eq!(
        (found.command.name(), found.name(), found.words),
        ("run", "container run", 2)
    );
    assert!(matches!(
        registry.resolve(&[]),
        Resolution::Unresolved(Unresolved::NoWords)
    ));
    let Resolution::Unresolved(Unresolved::Group { group, .. }) = registry.resolve(&words[..1])
    else {
        panic!("it is a group")
    };
    assert_eq!(group, "container");
}
