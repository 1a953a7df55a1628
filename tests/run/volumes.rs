//! `-v`

use crate::{engine, tool, until_running};

#[test]
fn a_bound_directory_is_the_same_inside_and_outside() {
    let engine = engine!();
    let tool = tool(engine);
    tool.file("data/in", "from outside");
    let absolute = format!("{}/data:/data", tool.directory().display());
    let words = [
        "run",
        "--rm",
        "-v",
        &absolute,
        "busybox",
        "sh",
        "-c",
        "cat /data/in; echo back >/data/out",
    ];
    tool.run(words).assert(0, "from outside", "");
    let out = std::fs::read_to_string(tool.directory().join("data/out"));
    assert_eq!(out.expect("a file"), "back\n");
    // A source that begins with a dot is taken from the directory that we run in.
    let words = [
        "run",
        "--rm",
        "-v",
        "./data:/data:ro",
        "busybox",
        "sh",
        "-c",
        "cat /data/in; echo x >/data/no",
    ];
    let outcome = tool.run(words);
    outcome.assert_err_contains(1, "from outside", "Read-only file system");
}

#[test]
fn an_anonymous_volume_goes_with_its_container() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "-i",
        "--name",
        "anonymous",
        "-v",
        "/data",
        "busybox",
        "cat",
    ];
    let mut running = tool(engine).start(words);
    until_running(engine, "anonymous");
    let volume = engine.inspect("anonymous")["Mounts"][0].clone();
    assert_eq!(
        (&volume["Type"], &volume["Destination"]),
        (&"volume".into(), &"/data".into())
    );
    let path = format!("/volumes/{}", volume["Name"].as_str().expect("a name"));
    engine.api().get(&path).expect_success();
    running.close_input();
    running.finish().assert(0, "", "");
    assert_eq!(engine.api().get(&path).status, 404);
}

#[test]
fn a_named_volume_outlives_its_containers() {
    let engine = engine!();
    let script = |script| {
        [
            "run",
            "--rm",
            "-v",
            "outlives:/data",
            "busybox",
            "sh",
            "-c",
            script,
        ]
    };
    tool(engine)
        .run(script("echo kept >/data/x"))
        .assert(0, "", "");
    tool(engine)
        .run(script("cat /data/x"))
        .assert(0, "kept\n", "");
}
