//! What the host gives its commands, and when it is built.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use byname::testing;
use byname::{
    Command, Context, Dispatcher, Environment, ExitStatus, Handler, Input, Output, Registry,
    Streams,
};

struct Engine {
    built: usize,
}

fn registry(handler: Handler) -> Registry {
    let command = Box::leak(Box::new(
        Command::new("use", "Use it", handler, byname::origin!()).raw_words(),
    ));
    Registry::from_commands([&*command]).unwrap()
}

fn use_engine(cx: &mut Context) -> anyhow::Result<ExitStatus> {
    let engine = cx.state::<Engine>()?;
    assert!(Arc::ptr_eq(&engine, &cx.state::<Engine>()?));
    writeln!(cx.out(), "{}", engine.built)?;
    Ok(ExitStatus::Success)
}

#[test]
fn state_is_built_on_first_use_and_shared() {
    let built = Arc::new(AtomicUsize::new(0));
    let counter = built.clone();
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(use_engine))
        .shared_state(move |_| {
            Ok(Engine {
                built: counter.fetch_add(1, Ordering::Relaxed) + 1,
            })
        })
        .build();
    testing::run(&dispatcher, ["help"]);
    assert_eq!(built.load(Ordering::Relaxed), 0);
    for _ in 0..3 {
        assert_eq!(testing::run(&dispatcher.clone(), ["use"]).stdout, "1\n");
    }
}

#[test]
fn state_of_a_dispatch_is_built_in_each() {
    let built = AtomicUsize::new(0);
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(use_engine))
        .state(move |_| {
            Ok(Engine {
                built: built.fetch_add(1, Ordering::Relaxed) + 1,
            })
        })
        .build();
    assert_eq!(testing::run(&dispatcher, ["use"]).stdout, "1\n");
    assert_eq!(testing::run(&dispatcher, ["use"]).stdout, "2\n");
}

#[test]
fn a_build_that_fails_is_tried_again() {
    let tries = AtomicUsize::new(0);
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(use_engine))
        .shared_state(move |_| {
            let built = tries.fetch_add(1, Ordering::Relaxed) + 1;
            anyhow::ensure!(built > 1, "not yet");
            Ok(Engine { built })
        })
        .build();
    let first = testing::run(&dispatcher, ["use"]);
    assert_eq!(
        (first.status, first.stderr.as_str()),
        (ExitStatus::Failure, "Error: not yet\n")
    );
    assert_eq!(testing::run(&dispatcher, ["use"]).stdout, "2\n");
    assert_eq!(testing::run(&dispatcher, ["use"]).stdout, "2\n");
}

#[test]
fn a_builder_that_panics_is_contained_and_tried_again() {
    let tries = AtomicUsize::new(0);
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(use_engine))
        .shared_state(move |_| match tries.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("no engine"),
            built => Ok(Engine { built }),
        })
        .build();
    assert_eq!(
        testing::run(&dispatcher, ["use"]).status,
        ExitStatus::Code(101)
    );
    assert_eq!(testing::run(&dispatcher, ["use"]).stdout, "1\n");
}

#[test]
fn missing_state_names_the_type_and_the_command() {
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(use_engine))
        .build();
    let outcome = testing::run(&dispatcher, ["use"]);
    assert_eq!(
        outcome.stderr,
        "Error: 'use' needs State<Engine>, which this host does not provide: add .state(...)\n"
    );
    assert_eq!(outcome.status, ExitStatus::Failure);
}

#[test]
fn a_builder_may_ask_for_other_state_but_not_for_its_own() {
    struct Address(&'static str);
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(|cx| {
            let address = cx.state::<Arc<Address>>()?.0;
            writeln!(cx.out(), "{address}")?;
            Ok(ExitStatus::Success)
        }))
        .state(|_| Ok(Address("unix:///x")))
        .shared_state(|cx: &Context| cx.state::<Address>())
        .build();
    assert_eq!(testing::run(&dispatcher, ["use"]).stdout, "unix:///x\n");

    let circular = Dispatcher::builder("tool")
        .registry(registry(use_engine))
        .shared_state(|cx: &Context| {
            Ok(Engine {
                built: cx.state::<Engine>()?.built,
            })
        })
        .build();
    let outcome = testing::run(&circular, ["use"]);
    assert_eq!(
        outcome.stderr,
        "Error: the state's builder asks for the state that it builds\n"
    );
}

#[test]
fn given_state_goes_before_the_dispatchers() {
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(use_engine))
        .shared_state(|_| Ok(Engine { built: 1 }))
        .build();
    let (out, captured) = Output::buffer();
    let mut cx = Context::new(
        Streams::new(Input::empty(), out.clone(), out),
        Environment::process(),
    );
    cx.set_state(Arc::new(Engine { built: 9 }));
    assert_eq!(dispatcher.dispatch(["use"], &mut cx), ExitStatus::Success);
    assert_eq!(captured.text(), "9\n");
}

#[test]
fn threads_dispatch_at_once_and_share_state() {
    let built = Arc::new(AtomicUsize::new(0));
    let counter = built.clone();
    let dispatcher = Dispatcher::builder("tool")
        .registry(registry(|cx| {
            let engine = cx.state::<Engine>()?;
            let text = format!("{} {:?}\n", engine.built, cx.args());
            cx.out().write_all(text.as_bytes())?;
            Ok(ExitStatus::Success)
        }))
        .shared_state(move |_| {
            Ok(Engine {
                built: counter.fetch_add(1, Ordering::Relaxed) + 1,
            })
        })
        .build();
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let dispatcher = dispatcher.clone();
            thread::spawn(move || {
                for _ in 0..50 {
                    assert_eq!(
                        testing::run(&dispatcher, ["use", &n.to_string()]).stdout,
                        format!("1 [\"{n}\"]\n")
                    );
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(built.load(Ordering::Relaxed), 1);
}

#[test]
fn what_is_shared_between_threads_can_be() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Dispatcher>();
    shared::<Registry>();
    shared::<Streams>();
    shared::<Environment>();
    shared::<Context>();
}

#[test]
fn state_that_a_host_may_lack_is_optional_and_its_builders_error_is_not() {
    fn ask(cx: &mut Context) -> anyhow::Result<ExitStatus> {
        match cx.optional_state::<Engine>()? {
            Some(engine) => writeln!(cx.out(), "built {}", engine.built)?,
            None => writeln!(cx.out(), "none")?,
        }
        Ok(ExitStatus::Success)
    }
    let host = || Dispatcher::builder("tool").registry(registry(ask));
    let without = testing::run(&host().build(), ["use"]);
    assert_eq!(
        (without.status, without.stdout.as_str()),
        (ExitStatus::Success, "none\n")
    );
    let with = host().shared_state(|_| Ok(Engine { built: 1 })).build();
    assert_eq!(testing::run(&with, ["use"]).stdout, "built 1\n");
    let failing = host()
        .shared_state(|_| -> anyhow::Result<Engine> { anyhow::bail!("no engine") })
        .build();
    let failed = testing::run(&failing, ["use"]);
    assert_eq!(
        (failed.status, failed.stderr.as_str()),
        (ExitStatus::Failure, "Error: no engine\n")
    );
}
