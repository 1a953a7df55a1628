//! `--rootfs`: what the embedded engine is asked, and no other engine is.

mod engine;

use byname::ExitStatus;
use engine::{Engine, Script, error};

fn embedded() -> Engine {
    Engine::new(Script {
        is_embedded: true,
        ..Script::default()
    })
}

#[test]
fn the_first_operand_is_the_directory() {
    let here = std::env::current_dir().unwrap();
    let here = here.to_str().unwrap();
    for (operand, rootfs) in [
        ("/:O", "/:O".to_owned()),
        ("/srv/tree", "/srv/tree".to_owned()),
        ("tree", format!("{here}/tree")),
        (".:O", format!("{here}:O")),
        // An image could not be called so.
        ("UPPER", format!("{here}/UPPER")),
    ] {
        let engine = embedded();
        let outcome = engine.run(&["run", "--rootfs", operand, "echo", "--rootfs"]);
        assert_eq!(outcome.status, ExitStatus::Success, "{}", outcome.stderr);
        let body = engine.request("POST /containers/create").json();
        assert_eq!(body["Rootfs"], rootfs);
        assert_eq!(body["Image"], "");
        assert_eq!(body["Cmd"], serde_json::json!(["echo", "--rootfs"]));
    }
}

#[test]
fn nothing_is_pulled_for_it() {
    let engine = Engine::new(Script {
        is_embedded: true,
        create: vec![error(404, "network x not found")],
        ..Script::default()
    });
    let outcome = engine.run_with(
        &["run", "--rootfs", "/", "true"],
        b"",
        // It would be of the image.
        &[("DOCKER_DEFAULT_PLATFORM", "no/such/platform/at/all")],
    );
    assert_eq!(
        outcome.stderr,
        "tool: Error response from daemon: network x not found\n\nRun 'tool run --help' for more information\n"
    );
    assert_eq!(outcome.status, ExitStatus::Code(125));
    assert_eq!(engine.lines(), ["HEAD /_ping", "POST /containers/create"]);
    assert_eq!(
        engine.requests()[1].target.split('?').nth(1),
        None,
        "no platform is asked for"
    );
}

#[test]
fn another_engine_does_not_hear_of_it() {
    let engine = Engine::new(Script::default());
    let outcome = engine.run(&["run", "--rootfs", "/:O", "true"]);
    assert_eq!(
        outcome.stderr,
        "\"--rootfs\" is only supported by the embedded engine (-H embedded://), and this engine is another\n"
    );
    assert_eq!(outcome.status, ExitStatus::Failure);
    assert_eq!(engine.lines(), ["HEAD /_ping"]);
}

#[test]
fn what_is_said_of_an_image_is_refused() {
    let engine = embedded();
    for (words, message) in [
        (
            vec!["run", "--rootfs", "--pull=never", "/"],
            "conflicting options: --pull is about the image, and with --rootfs there is none",
        ),
        (
            vec!["run", "--rootfs", "--platform", "linux/amd64", "/"],
            "conflicting options: --platform is about the image, and with --rootfs there is none",
        ),
        (
            vec!["run", "-q", "--rootfs", "/"],
            "conflicting options: --quiet is about the image, and with --rootfs there is none",
        ),
        (
            vec!["run", "--rootfs", ""],
            "--rootfs: no directory specified",
        ),
        (
            vec!["run", "--rootfs", "--use-api-socket", "/"],
            "the embedded engine does not do --use-api-socket: it has no socket of its own",
        ),
    ] {
        let outcome = engine.run(&words);
        assert_eq!(
            outcome.stderr,
            format!("tool: {message}\n\nRun 'tool run --help' for more information\n")
        );
        assert_eq!(outcome.status, ExitStatus::Code(125));
    }
    assert!(
        engine.lines().iter().all(|line| line == "HEAD /_ping"),
        "{:?}",
        engine.lines()
    );
}
