//! `images`, `rmi`, `load`, `image inspect`

use harness::{BUSYBOX, Image};

use crate::{engine, first_line, tool, unique};

#[test]
fn images_are_listed() {
    let engine = engine!();
    let list = tool(engine).run(["images", "busybox"]).out();
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("REPOSITORY   TAG "), "{list}");
    assert!(lines[1].starts_with("busybox      latest "), "{list}");
    let id = engine.api().get("/images/busybox/json").json()["Id"]
        .as_str()
        .expect("an ID")
        .to_owned();
    for words in [
        &["images", "-q", "--no-trunc", "busybox:latest"][..],
        &[
            "image",
            "ls",
            "--filter",
            "reference=busybox",
            "--format",
            "{{.ID}}",
            "--no-trunc",
        ],
        &["image", "inspect", "-f", "{{.Id}}", "busybox"],
    ] {
        tool(engine).run(words).assert(0, &format!("{id}\n"), "");
    }
    tool(engine).run(["images", "no-such-image"]).assert(
        0,
        "REPOSITORY   TAG   IMAGE ID   CREATED   SIZE\n",
        "",
    );
    assert!(
        list.lines().count() == 2 && BUSYBOX.starts_with("busybox"),
        "{list}"
    );
}

#[test]
fn an_archive_is_loaded_and_removed_again() {
    let engine = engine!();
    let name = unique("loaded") + ":v1";
    engine.import(
        &Image::bare().with_file("marker", 0o644, name.clone()),
        &name,
    );
    let archive = engine.api().get(&format!("/images/get?names={name}"));
    assert_eq!(archive.status, 200);
    let removed = tool(engine).run(["rmi", &name]);
    assert_eq!(removed.code, Some(0), "{}", removed.err());
    assert!(
        removed.out().starts_with(&format!("Untagged: {name}\n")),
        "{}",
        removed.out()
    );
    assert!(
        removed.out().contains("\nDeleted: sha256:"),
        "{}",
        removed.out()
    );

    let program = tool(engine);
    program.file("archive.tar", &archive.body);
    program
        .run(["load", "-i", "archive.tar"])
        .assert(0, &format!("Loaded image: {name}\n"), "");
    tool(engine)
        .start(["load", "-q"])
        .feed(archive.body)
        .finish()
        .assert(0, &format!("Loaded image: {name}\n"), "");
    assert_eq!(tool(engine).run(["image", "rm", &name]).code, Some(0));
    let outcome = tool(engine).run(["rmi", &name]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        first_line(&outcome),
        format!("Error response from daemon: No such image: {name}")
    );
    assert_eq!(tool(engine).run(["rmi", "-f", &name]).code, Some(0));
    let outcome = tool(engine).run(["load", "-i", "no-such.tar"]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        first_line(&outcome).starts_with("Error: cannot open no-such.tar: "),
        "{}",
        outcome.err()
    );
}
