//! `inspect` and its two-word forms

use serde_json::Value;

use crate::{Container, engine, tool};

#[test]
fn everything_that_the_engine_knows_is_shown() {
    let engine = engine!();
    let container = Container::idle(engine);
    for name in [
        &["inspect"][..],
        &["container", "inspect"],
        &["inspect", "--type", "container"],
    ] {
        let words = name.iter().copied().chain([container.name.as_str()]);
        let outcome = tool(engine).run(words);
        let value: Value = serde_json::from_str(&outcome.out()).expect("JSON");
        assert_eq!(value[0]["Id"], container.id.as_str());
        assert!(
            outcome.out().starts_with("[\n    {\n        \"Id\": \""),
            "{}",
            outcome.out()
        );
    }
    let sized = tool(engine).run(["inspect", "-s", "-f", "{{.SizeRootFs}}", &container.name]);
    assert!(sized.out().trim().parse::<u64>().is_ok(), "{}", sized.out());
}

#[test]
fn templates_pick_and_join() {
    let engine = engine!();
    let container = Container::run(
        engine,
        &["-e", "A=b", "-l", "x.y=z", "busybox", "sleep", "1000"],
    );
    let inspect = |template: &str| tool(engine).run(["inspect", "-f", template, &container.name]);
    for (template, expected) in [
        ("{{.State.Status}} {{.State.Running}}", "running true\n"),
        ("{{json .Config.Cmd}}", "[\"sleep\",\"1000\"]\n"),
        (r#"{{join .Config.Cmd " "}}"#, "sleep 1000\n"),
        (r#"{{index .Config.Labels "x.y"}}"#, "z\n"),
        ("{{range .Config.Cmd}}<{{.}}>{{end}}", "<sleep><1000>\n"),
        (
            r#"{{if eq .State.Status "exited"}}gone{{else}}here{{end}}"#,
            "here\n",
        ),
    ] {
        inspect(template).assert(0, expected, "");
    }
    let outcome = inspect("{{.Stat}}");
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome
            .err()
            .starts_with("template: there is no field .Stat here; the fields are ."),
        "{}",
        outcome.err()
    );
}

#[test]
fn a_name_is_looked_for_among_all_kinds() {
    let engine = engine!();
    let volume = tool(engine).run(["volume", "create"]).out();
    let volume = volume.trim();
    let outcome = tool(engine).run(["inspect", "busybox", "no-such", volume]);
    assert_eq!(
        (outcome.code, outcome.err().as_str()),
        (Some(1), "Error: No such object: no-such\n")
    );
    let value: Value = serde_json::from_str(&outcome.out()).expect("JSON");
    assert_eq!(value[0]["RepoTags"][0], harness::BUSYBOX);
    assert_eq!(value[1]["Name"], volume);
    let outcome = tool(engine).run(["inspect", "--type", "volume", "busybox"]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.err().contains("no such volume"),
        "{}",
        outcome.err()
    );
    tool(engine).run(["volume", "rm", volume]);
}

#[test]
fn what_is_not_set_is_empty_and_what_there_is_not_is_named() {
    let engine = engine!();
    let container = Container::idle(engine);
    let inspect = |format: &str| tool(engine).run(["inspect", "-f", format, &container.name]);
    for (format, text) in [
        (
            "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}",
            "none\n",
        ),
        ("{{if .Config.Healthcheck}}yes{{else}}no{{end}}", "no\n"),
        ("<{{.Config.StopSignal}}>", "<>\n"),
        ("{{.Config.Labels.nope}}", "<no value>\n"),
        ("{{.Config.Volumes}} {{.Config.Entrypoint}}", "map[] []\n"),
        ("{{range .HostConfig.Binds}}x{{end}}.", ".\n"),
    ] {
        inspect(format).assert(0, text, "");
    }
    let outcome = inspect("{{.State");
    assert_eq!(
        (outcome.code, &*outcome.out()),
        (Some(64), ""),
        "{outcome:?}"
    );
    let outcome = inspect("{{.State.Nope}}");
    assert_eq!(
        (outcome.code, &*outcome.out()),
        (Some(1), "\n"),
        "{outcome:?}"
    );
    assert!(outcome.err().contains(".State.Nope"), "{outcome:?}");
    let words = [
        "image",
        "inspect",
        "-f",
        "<{{.Config.User}}>",
        "busybox",
        "no-such",
        "busybox",
    ];
    let outcome = tool(engine).run(words);
    assert_eq!(
        (outcome.code, &*outcome.out()),
        (Some(1), "<>\n<>\n"),
        "{outcome:?}"
    );
    let words = [
        "inspect",
        "-f",
        "{{.State.Status}}",
        "busybox",
        &container.name,
    ];
    let outcome = tool(engine).run(words);
    assert_eq!(
        (outcome.code, &*outcome.out()),
        (Some(1), "running\n"),
        "{outcome:?}"
    );
}

#[test]
fn a_kind_that_there_is_not_is_named() {
    let engine = engine!();
    let outcome = tool(engine).run(["inspect", "--type", "bogus", "any"]);
    assert_eq!(
        (outcome.code, &*outcome.out()),
        (Some(1), ""),
        "{outcome:?}"
    );
    assert!(
        outcome.err().contains("unknown type: \"bogus\""),
        "{outcome:?}"
    );
}
