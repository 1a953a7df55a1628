//! A handler dispatches again with its own context, and finds it afterwards as it was.

use std::io::{Read, Write};

use byname::testing;
use byname::{Command, Context, Dispatcher, Environment, ExitStatus, Registry};

static OUTER: Command = Command::new("outer", "Call inner", outer, byname::origin!()).raw_words();
static INNER: Command = Command::new("inner", "Be called", inner, byname::origin!()).raw_words();

fn describe(cx: &mut Context) -> anyhow::Result<()> {
    let text = format!(
        "{} {} {} {:?} {:?}\n",
        cx.program(),
        cx.command_path(),
        cx.method_name(),
        cx.args(),
        cx.globals::<u8>()
    );
    Ok(cx.out().write_all(text.as_bytes())?)
}

fn outer(cx: &mut Context) -> anyhow::Result<ExitStatus> {
    cx.set_globals(1_u8);
    describe(cx)?;
    let dispatcher = cx.dispatcher().unwrap();
    let status = dispatcher.dispatch(["inner", "x"], cx);
    describe(cx)?;
    let failed = dispatcher.dispatch(["inner", "panic"], cx);
    assert_eq!(failed, ExitStatus::Code(101));
    assert_eq!(dispatcher.dispatch(["nope"], cx), ExitStatus::Usage);
    describe(cx)?;
    Ok(status)
}

fn inner(cx: &mut Context) -> anyhow::Result<ExitStatus> {
    assert!(cx.args().first().is_some_and(|word| word == "x"), "not x");
    describe(cx)?;
    cx.set_globals(2_u8);
    Ok(ExitStatus::Code(7))
}

#[test]
fn the_outer_call_is_put_back() {
    let registry = Registry::from_commands([&OUTER, &INNER]).unwrap();
    let outcome = testing::run(
        &Dispatcher::builder("tool").registry(registry).build(),
        ["OUTER", "a", "b"],
    );
    let outer = "tool tool outer CmdOuter [\"a\", \"b\"] Some(1)\n";
    let inner = "tool tool inner CmdInner [\"x\"] Some(1)\n";
    assert_eq!(outcome.stdout, format!("{outer}{inner}{outer}{outer}"));
    assert_eq!(outcome.status, ExitStatus::Code(7));
}

#[test]
fn streams_and_environment_are_the_callers() {
    static CAT: Command = Command::new(
        "cat",
        "Copy input to output",
        |cx| {
            let mut bytes = Vec::new();
            cx.input().read_to_end(&mut bytes)?;
            cx.out().write_all(&bytes)?;
            let home = cx.environment().get("HOME");
            let terminal = cx.streams().input.is_terminal();
            write!(cx.err(), "{home:?} {terminal}")?;
            Ok(ExitStatus::Success)
        },
        byname::origin!(),
    );
    let dispatcher = Dispatcher::builder("tool")
        .registry(Registry::from_commands([&CAT]).unwrap())
        .build();
    let environment = Environment::from_iter([("HOME", "/made/up")]);
    assert_eq!(environment.vars(), [("HOME".into(), "/made/up".into())]);
    let outcome = testing::run_with(&dispatcher, ["cat"], b"\xff\x00", environment);
    assert_eq!(outcome.stdout_bytes, b"\xff\x00");
    assert_eq!(outcome.stderr, "Some(\"/made/up\") false");
}
