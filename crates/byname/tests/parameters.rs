//! What a function takes behind its context: words, state, global options, and what takes none.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use byname::testing::{self, Outcome};
use byname::{
    Command, Context, Dispatcher, Environment, ExitStatus, FromContext, Globals, Input, MaybeState,
    Output, Parameter, RawWords, Registry, State, Streams,
};

struct Client(&'static str);
struct Cache;
struct Settings {
    level: u8,
}

/// Send a signal
///
/// It needs nobody's words.
#[byname::command("kill", alias = "container kill")]
fn kill(
    cx: &mut Context,
    client: State<Client>,
    cache: MaybeState<Cache>,
    settings: Globals<Settings>,
) -> anyhow::Result<()> {
    let has_cache = cache.is_some();
    writeln!(cx.out(), "{} {has_cache} {}", client.0, settings.level)?;
    Ok(())
}

/// Print the words
#[byname::command("echo")]
fn echo(
    cx: &mut Context,
    RawWords(words): RawWords,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    writeln!(cx.out(), "{words:?} {}", client.0)?;
    Ok(ExitStatus::Code(3))
}

/// Do nothing, and never fail
#[byname::command("nothing")]
fn nothing(_: &mut Context) {}

/// End with a status
#[byname::command("seven")]
fn seven(_: &mut Context) -> ExitStatus {
    ExitStatus::Code(7)
}

fn host() -> byname::Builder {
    Dispatcher::builder("tool")
        .state(|_| Ok(Client("client")))
        .raw_globals(|cx, _| {
            cx.set_globals(Settings { level: 2 });
            Ok(0)
        })
}

fn tool(words: &[&str]) -> Outcome {
    testing::run(&host().build(), words)
}

#[test]
fn parameters_are_taken_from_the_context() {
    assert_eq!(tool(&["kill"]).stdout, "client false 2\n");
    assert_eq!(tool(&["container", "kill"]).stdout, "client false 2\n");
    let outcome = tool(&["echo", "--help", "-x"]);
    assert_eq!(outcome.stdout, "[\"--help\", \"-x\"] client\n");
    assert_eq!(outcome.status, ExitStatus::Code(3));
    let with_cache = host().shared_state(|_| Ok(Cache)).build();
    assert_eq!(
        testing::run(&with_cache, ["kill"]).stdout,
        "client true 2\n"
    );
}

#[test]
fn a_function_may_return_a_status_or_nothing() {
    assert_eq!(tool(&["nothing"]).status, ExitStatus::Success);
    assert_eq!(tool(&["seven"]).status, ExitStatus::Code(7));
}

#[test]
fn a_function_without_words_takes_none() {
    for (words, path) in [
        (&["kill", "--help"][..], "kill"),
        (&["kill", "-h"], "kill"),
        (&["container", "kill", "--help"], "container kill"),
        (&["help", "kill"], "kill"),
    ] {
        let outcome = tool(words);
        let expected = format!(
            "Usage: tool {path}\n\nSend a signal\n\nIt needs nobody's words.\n\nOptions:\n  -h, --help  Print help\n\n\
             Aliases: container kill\n"
        );
        assert_eq!(outcome.stdout, expected, "{words:?}");
        assert_eq!(
            (outcome.status, outcome.stderr.as_str()),
            (ExitStatus::Success, "")
        );
    }
    for word in ["x", "-x", "--nope", "", "--help=x"] {
        let outcome = tool(&["kill", word]);
        let shown = if word.is_empty() { "\"\"" } else { word };
        assert_eq!(
            outcome.stderr,
            format!(
                "Error: 'tool kill' takes no arguments: {shown}\n\nRun 'tool help kill' for more information.\n"
            )
        );
        assert_eq!(
            (outcome.status, outcome.stdout.as_str()),
            (ExitStatus::Usage, "")
        );
    }
    assert_eq!(tool(&["kill", "--"]).stdout, "client false 2\n");
}

#[test]
fn what_the_host_lacks_is_named_when_the_command_runs() {
    let without = Dispatcher::builder("tool").build();
    assert_eq!(
        testing::run(&without, ["kill"]).stderr,
        "Error: 'kill' needs State<Client>, which this host does not provide: add .state(...)\n"
    );
    let half = Dispatcher::builder("tool")
        .state(|_| Ok(Client("x")))
        .build();
    assert_eq!(
        testing::run(&half, ["kill"]).stderr,
        "Error: 'kill' needs Globals<Settings>, which this host does not provide: add .globals::<Settings>(...)\n"
    );
}

/// What `assert_host` panics with.
fn complaint(dispatcher: &Dispatcher) -> String {
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| testing::assert_host(dispatcher)));
    *panic
        .expect_err("the host lacks something")
        .downcast::<String>()
        .expect("a message")
}

#[test]
fn a_host_is_checked_without_running_anything() {
    assert_eq!(
        complaint(&Dispatcher::builder("tool").build()),
        "the host 'tool' lacks what its commands need:\n  \
         'echo' needs State<Client>, which this host does not provide: add .state(...)\n  \
         'kill' needs State<Client>, which this host does not provide: add .state(...)\n  \
         'kill' needs Globals<Settings>, which this host does not provide: add .globals::<Settings>(...)"
    );
    let nothing_is_built = host().state(|_| -> anyhow::Result<Client> { panic!("it is built") });
    testing::assert_host(&nothing_is_built.given::<Settings>().build());
    // Both kinds may be the caller's.
    let embedded = Dispatcher::builder("tool")
        .given::<Settings>()
        .given::<Client>();
    testing::assert_host(&embedded.build());
}

#[test]
fn what_the_caller_gives_is_taken() {
    let (out, captured) = Output::buffer();
    let environment = Environment::from_iter([] as [(&str, &str); 0]);
    let mut cx = Context::new(Streams::new(Input::empty(), out.clone(), out), environment);
    cx.set_state(Arc::new(Client("given")));
    cx.set_globals(Settings { level: 9 });
    let status = Dispatcher::builder("tool")
        .build()
        .dispatch(["kill"], &mut cx);
    assert_eq!(captured.text(), "given false 9\n");
    assert_eq!(status, ExitStatus::Success);
}

#[test]
fn a_function_can_still_be_called() {
    let (out, captured) = Output::buffer();
    let environment = Environment::from_iter([] as [(&str, &str); 0]);
    let mut cx = Context::new(Streams::new(Input::empty(), out.clone(), out), environment);
    let settings = Globals::new(Settings { level: 1 });
    kill(
        &mut cx,
        State::new(Client("mine")),
        MaybeState::new(Some(Cache)),
        settings,
    )
    .unwrap();
    assert_eq!(captured.text(), "mine true 1\n");
}

#[test]
fn a_host_may_capture_what_it_likes() {
    let greeting = String::from("hello");
    let (for_globals, for_words) = (greeting.clone(), greeting);
    let host = Dispatcher::builder("tool")
        .raw_globals(move |cx, _| {
            writeln!(cx.err(), "{for_globals}")?;
            Ok(0)
        })
        .fallback(move |cx, unresolved| {
            writeln!(cx.out(), "{for_words} {}", unresolved.name())?;
            Ok(ExitStatus::Code(4))
        })
        .build();
    let outcome = testing::run(&host, ["nope"]);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("hello nope\n", "hello\n")
    );
    assert_eq!(outcome.status, ExitStatus::Code(4));
}

/// The hand-written form of `echo`.
static BY_HAND: Command = Command::new(
    "echo",
    "Print the words",
    |cx| {
        let words = FromContext::from_context(cx)?;
        let client = FromContext::from_context(cx)?;
        echo(cx, words, client)
    },
    byname::origin!(),
)
.parameters(&[
    Parameter::of::<RawWords>(),
    Parameter::of::<State<Client>>(),
]);

#[test]
fn the_hand_written_form_is_the_same() {
    let by_hand = host()
        .registry(Registry::from_commands([&BY_HAND]).unwrap())
        .build();
    for words in [
        &["echo"][..],
        &["echo", "--help"],
        &["help", "echo"],
        &["echo", "a", "--"],
    ] {
        assert_eq!(testing::run(&by_hand, words), tool(words), "{words:?}");
    }
    let lacking =
        Dispatcher::builder("tool").registry(Registry::from_commands([&BY_HAND]).unwrap());
    assert!(complaint(&lacking.build()).contains("'echo' needs State<Client>"));
}

/// By hand, an order can be declared that the attribute refuses.
static MISPLACED: Command = Command::new(
    "misplaced",
    "Take the words last",
    |_| Ok(ExitStatus::Success),
    byname::origin!(),
)
.parameters(&[
    Parameter::of::<State<Client>>(),
    Parameter::of::<RawWords>(),
]);

#[test]
fn words_that_are_read_too_late_are_a_problem_of_the_registry() {
    let registry = Registry::from_commands([&MISPLACED, &BY_HAND]).unwrap();
    let problems = testing::problems(&registry);
    let [problem] = problems.as_slice() else {
        panic!("one problem: {problems:?}")
    };
    assert!(
        problem.starts_with("a parameter of 'misplaced' (byname ")
            && problem.ends_with(") reads words and is not the first"),
        "{problem}"
    );
}
