//! Missing images: when they are pulled and what is printed.

mod engine;

use byname::ExitStatus;
use engine::{Engine, Script, created, error};

const LINES: &str = concat!(
    "{\"status\":\"Pulling from library/img\",\"id\":\"latest\"}\r\n",
    "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1,\"total\":2},\"id\":\"aa\"}\r\n",
    "{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"aa\"}\r\n",
    "{\"aux\":{\"ID\":\"x\"}}\r\n",
    "{\"status\":\"Status: Downloaded newer image for img:latest\"}\r\n",
);

fn without_image() -> Script {
    Script {
        create: vec![error(404, "No such image: img:latest"), created(&[])],
        pull: (200, LINES.to_owned()),
        ..Script::default()
    }
}

fn creates(engine: &Engine) -> usize {
    engine
        .lines()
        .iter()
        .filter(|line| *line == "POST /containers/create")
        .count()
}

#[test]
fn a_missing_image_is_pulled_and_the_container_created_once_more() {
    let engine = Engine::new(without_image());
    let outcome = engine.run(&["run", "-d", "--platform", "arm64", "img"]);
    assert_eq!(
        outcome.stderr,
        "Unable to find image 'img:latest' locally\nlatest: Pulling from library/img\naa: Pull complete\n\
         Status: Downloaded newer image for img:latest\n"
    );
    assert_eq!(outcome.status, ExitStatus::Success);
    assert_eq!(
        engine.lines(),
        [
            "HEAD /_ping",
            "POST /containers/create",
            "POST /images/create",
            "POST /containers/create",
            "POST /containers/ID/start"
        ]
    );
    assert_eq!(
        engine.request("POST /images/create").line(),
        "POST /images/create?fromImage=docker.io%2Flibrary%2Fimg&tag=latest&platform=linux%2Farm64"
    );
}

#[test]
fn a_second_404_is_an_error() {
    let create = vec![error(404, "No such image: img:latest")];
    let engine = Engine::new(Script {
        create,
        ..without_image()
    });
    let outcome = engine.run(&["run", "-q", "img"]);
    assert_eq!(
        outcome.stderr,
        "tool: Error response from daemon: No such image: img:latest\n\nRun 'tool run --help' for more information\n"
    );
    assert_eq!(outcome.status, ExitStatus::Code(125));
    assert_eq!(creates(&engine), 2);
}

#[test]
fn quiet_says_nothing() {
    let outcome = Engine::new(without_image()).run(&["run", "--quiet", "-d", "img"]);
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.status, ExitStatus::Success);
}

#[test]
fn never_means_never_and_an_id_cannot_be_pulled() {
    let id = "a".repeat(64);
    for words in [
        ["run", "--pull=never", "img"],
        ["run", "--pull=missing", &id],
    ] {
        let engine = Engine::new(without_image());
        let outcome = engine.run(&words);
        assert_eq!(outcome.status, ExitStatus::Code(125));
        assert!(
            outcome
                .stderr
                .starts_with("tool: Error response from daemon: No such image: ")
        );
        assert_eq!(engine.lines(), ["HEAD /_ping", "POST /containers/create"]);
    }
}

#[test]
fn always_pulls_before_the_first_create() {
    let engine = Engine::new(Script {
        pull: (200, LINES.to_owned()),
        ..Script::default()
    });
    let outcome = engine.run(&["run", "--pull=always", "-d", "localhost:5000/a@sha256:"]);
    assert_eq!(outcome.status, ExitStatus::Code(125), "{}", outcome.stderr);
    assert_eq!(
        engine.lines(),
        Vec::<String>::new(),
        "a bad reference asks nobody"
    );
    let outcome = engine.run(&["run", "--pull=always", "-d", "localhost:5000/a:b"]);
    assert_eq!(outcome.status, ExitStatus::Success);
    assert_eq!(
        engine.lines()[1..3],
        ["POST /images/create", "POST /containers/create"]
    );
    let pull = engine.request("POST /images/create").line();
    assert_eq!(
        pull,
        "POST /images/create?fromImage=localhost%3A5000%2Fa&tag=b"
    );
}

#[test]
fn a_pull_that_fails_ends_the_command() {
    let in_stream =
        "{\"errorDetail\":{\"message\":\"manifest unknown\"},\"error\":\"manifest unknown\"}\n";
    for (pull, message) in [
        ((200, in_stream.to_owned()), "manifest unknown"),
        (
            error(500, "no route to host"),
            "Error response from daemon: no route to host",
        ),
    ] {
        let engine = Engine::new(Script {
            pull,
            ..without_image()
        });
        let outcome = engine.run(&["run", "-q", "img"]);
        assert_eq!(
            outcome.stderr,
            format!("tool: {message}\n\nRun 'tool run --help' for more information\n")
        );
        assert_eq!(outcome.status, ExitStatus::Code(125));
        assert_eq!(creates(&engine), 1);
    }
}
