//! A command written with the attribute and one written by hand are the same command.
#![cfg(feature = "clap")]

use std::io::Write;

use byname::{
    Alias, Command, Context, Dispatcher, ExitStatus, FromContext, MaybeState, Parameter, Registry,
    State, testing,
};

/// What both commands parse.
#[derive(clap::Args)]
struct Create {
    /// The group's name
    name: String,
    /// Say more
    #[arg(short)]
    verbose: bool,
}

/// What the host provides.
struct Directory(&'static str);

/// What it does not provide.
struct Log;

/// Create a group
///
/// A group has a name
/// and nothing else.
#[byname::command(
    "groups create",
    alias = "group create",
    hidden_alias = "mkgroup",
    category = "Groups",
    hidden
)]
fn create(
    cx: &mut Context,
    args: Create,
    directory: State<Directory>,
    log: MaybeState<Log>,
) -> anyhow::Result<ExitStatus> {
    let path = cx.command_path();
    let Create { name, verbose } = args;
    writeln!(cx.out(), "{path} {name} {verbose} in {}", directory.0)?;
    if log.is_some() {
        writeln!(cx.err(), "logged")?;
    }
    Ok(ExitStatus::Success)
}

static BY_HAND: Command = Command::new(
    "groups create",
    "Create a group",
    |cx| {
        let args = byname::parse(cx)?;
        let directory = FromContext::from_context(cx)?;
        let log = FromContext::from_context(cx)?;
        create(cx, args, directory, log)
    },
    byname::origin!(),
)
.long_help("A group has a name and nothing else.")
.category("Groups")
.hidden()
.aliases(&[Alias::visible("group create"), Alias::hidden("mkgroup")])
.parameters(&[
    Parameter::of::<Create>(),
    Parameter::of::<State<Directory>>(),
    Parameter::of::<MaybeState<Log>>(),
]);

#[test]
fn the_attribute_writes_what_a_person_would() {
    let registry = Registry::linked().unwrap();
    let [written] = registry.commands() else {
        panic!("one command is linked")
    };
    assert_eq!(written.name(), BY_HAND.name());
    assert_eq!(written.summary(), BY_HAND.summary());
    assert_eq!(written.get_long_help(), BY_HAND.get_long_help());
    assert_eq!(written.get_category(), BY_HAND.get_category());
    assert_eq!(written.is_hidden(), BY_HAND.is_hidden());
    let needs =
        |command: &Command| -> Vec<String> { command.needs().map(ToString::to_string).collect() };
    assert_eq!(needs(written), ["State<Directory>"]);
    assert_eq!(needs(&BY_HAND), needs(written));
    assert_eq!(written.method_name(), "CmdGroupsCreate");
    assert_eq!(BY_HAND.method_name(), "CmdGroupsCreate");
    let names = |command: &Command| -> Vec<(&str, bool)> {
        command
            .get_aliases()
            .iter()
            .map(|alias| (alias.name(), alias.is_hidden()))
            .collect()
    };
    assert_eq!(names(written), names(&BY_HAND));
    assert_eq!(written.origin().crate_name, "byname");
    assert_eq!(written.origin().version, env!("CARGO_PKG_VERSION"));
    assert!(written.origin().file.ends_with("registration.rs"));
    // The line of the attribute, where a person looks for the command.
    let mut lines = include_str!("registration.rs").lines();
    let attribute = lines
        .position(|line| line.starts_with("#[byname::command"))
        .unwrap();
    assert_eq!(written.origin().line as usize, attribute + 1);
}

#[test]
fn both_run_alike() {
    let host = || Dispatcher::builder("tool").state(|_| Ok(Directory("/groups")));
    let linked = host().build();
    let by_hand = host()
        .registry(Registry::from_commands([&BY_HAND]).unwrap())
        .build();
    let command_lines: [&[&str]; 6] = [
        &["groups", "create", "x", "-v"],
        &["group", "create", "x"],
        &["mkgroup", "x"],
        &["groups", "create"],
        &["groups", "create", "--help"],
        &["help", "groups", "create"],
    ];
    for words in command_lines {
        assert_eq!(
            testing::run(&linked, words),
            testing::run(&by_hand, words),
            "{words:?}"
        );
    }
    assert_eq!(
        testing::run(&linked, ["GROUPS", "Create", "x", "-v"]).stdout,
        "tool groups create x true in /groups\n"
    );
    assert_eq!(
        testing::run(&linked, ["groups-create", "x"]).stdout,
        "tool groups create x false in /groups\n"
    );
}

#[test]
fn the_registry_is_sound() {
    testing::assert_registry();
}

#[test]
fn the_function_can_still_be_called() {
    let (out, captured) = byname::Output::buffer();
    let streams = byname::Streams::new(byname::Input::empty(), out.clone(), out);
    let mut cx = Context::new(streams, byname::Environment::process());
    create(
        &mut cx,
        Create {
            name: "x".into(),
            verbose: false,
        },
        State::new(Directory("/here")),
        MaybeState::new(Some(Log)),
    )
    .unwrap();
    assert_eq!(captured.text(), " x false in /here\nlogged\n");
}
