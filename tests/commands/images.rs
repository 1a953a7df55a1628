//! `images`, `pull`, `tag`, `rmi`, `load`, `image inspect`

use harness::{BUSYBOX, Image, Outcome};

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
        "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n",
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
    let archive = Image::bare()
        .with_file("marker", 0o644, name.clone())
        .archive(&name);
    tool(engine)
        .start(["load"])
        .feed(archive.clone())
        .finish()
        .assert(0, &format!("Loaded image: {name}\n"), "");
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
    program.file("archive.tar", &archive);
    program
        .run(["load", "-i", "archive.tar"])
        .assert(0, &format!("Loaded image: {name}\n"), "");
    tool(engine)
        .start(["load", "-q"])
        .feed(archive)
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

#[test]
fn all_tags_are_pulled_at_once() {
    let engine = engine!();
    let name = "images::all_tags_are_pulled_at_once";
    let Some(registry) = harness::registry_or_skip(name) else {
        return;
    };
    let image = Image::bare().with_file("marker", 0o644, name);
    let references = ["tags:1", "tags:2"].map(|name| registry.push(&image, name));
    let repository = references[0].strip_suffix(":1").expect("a tag");
    let outcome = tool(engine).run(["pull", "-a", repository]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    assert!(
        outcome.out().ends_with(&format!("\n{repository}\n")),
        "{}",
        outcome.out()
    );
    for reference in references {
        engine
            .api()
            .delete(&format!("/images/{reference}?force=1"))
            .expect_success();
    }
}

#[test]
fn an_image_is_pulled_under_its_whole_name() {
    let engine = engine!();
    let name = "images::an_image_is_pulled_under_its_whole_name";
    let Some(registry) = harness::registry_or_skip(name) else {
        return;
    };
    let image = Image::bare().with_file("marker", 0o644, name);
    let reference = registry.push(&image, "pulled:latest");
    let repository = reference.strip_suffix(":latest").expect("a tag");
    let pull = |words: &[&str]| -> Outcome { tool(engine).run(["pull"].iter().chain(words)) };
    let outcome = pull(&[repository]);
    assert_eq!((outcome.code, outcome.err().as_str()), (Some(0), ""));
    let out = outcome.out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[..2],
        ["Using default tag: latest", "latest: Pulling from pulled"],
        "{out}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("Digest: sha256:")),
        "{out}"
    );
    assert_eq!(
        lines[lines.len() - 2..],
        [
            format!("Status: Downloaded newer image for {reference}").as_str(),
            reference.as_str()
        ],
        "{out}"
    );
    pull(&["-q", &reference]).assert(0, &format!("{reference}\n"), "");
    assert_eq!(pull(&["-a", &reference]).code, Some(1));

    let missing = format!("{repository}:missing");
    let outcome = pull(&[&missing]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.err().contains("manifest"), "{}", outcome.err());
    pull(&["UPPER"]).assert(
        1,
        "",
        "invalid reference format: repository name (library/UPPER) must be lowercase\n",
    );
    engine.api().delete(&format!("/images/{reference}?force=1"));
}

#[test]
fn a_tag_is_one_more_name() {
    let engine = engine!();
    let name = format!("{}:x", unique("tagged"));
    tool(engine)
        .run(["tag", "busybox", &name])
        .assert(0, "", "");
    let id = |name: &str| tool(engine).run(["images", "-q", name]).out();
    assert_eq!(id(&name), id(BUSYBOX));
    tool(engine)
        .run(["rmi", &name])
        .assert(0, &format!("Untagged: {name}\n"), "");
    tool(engine).run(["tag", "no-such-image", &name]).assert(
        1,
        "",
        "Error response from daemon: No such image: no-such-image:latest\n",
    );
    tool(engine).run(["tag", "busybox", "a b"]).assert(
        1,
        "",
        "\"a b\" is not a valid repository/tag: invalid reference format\n",
    );
}
