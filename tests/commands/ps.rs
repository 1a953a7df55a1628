//! `ps`

use serde_json::Value;

use crate::{Container, engine, tool, unique, until};

#[test]
fn a_table_shows_what_runs() {
    let engine = engine!();
    let container = Container::idle(engine);
    let filter = format!("name={}", container.name);
    let outcome = tool(engine).run(["ps", "--filter", &filter]);
    let out = outcome.out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    for header in [
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "CREATED",
        "STATUS",
        "PORTS",
        "NAMES",
    ] {
        assert!(lines[0].contains(header), "{out}");
    }
    assert!(lines[1].starts_with(&container.id[..12]), "{out}");
    assert!(lines[1].ends_with(&container.name), "{out}");
    assert!(lines[1].contains("\"sh -c 'trap 'exit 3…\""), "{out}");
    for name in ["container ls", "container list", "container ps"] {
        let words = name.split(' ').chain(["-q", "--no-trunc", "-f", &filter]);
        tool(engine)
            .run(words)
            .assert(0, &format!("{}\n", container.id), "");
    }
}

#[test]
fn what_does_not_run_is_shown_if_asked_for() {
    let engine = engine!();
    let container = Container::run(engine, &["-l", "shown=yes", "busybox", "true"]);
    tool(engine)
        .run(["wait", &container.name])
        .assert(0, "0\n", "");
    let short = format!("{}\n", &container.id[..12]);
    tool(engine)
        .run(["ps", "-q", "-f", "label=shown=yes"])
        .assert(0, "", "");
    for all in [
        &["-a"][..],
        &["--all"],
        &["-f", "status=exited"],
        &["-n", "1000"],
    ] {
        let words = ["ps", "-q", "-f", "label=shown=yes"].iter().chain(all);
        tool(engine).run(words).assert(0, &short, "");
    }
    let latest = tool(engine).run(["ps", "-lq"]);
    assert_eq!(latest.out().lines().count(), 1);
}

#[test]
fn formats() {
    let engine = engine!();
    let container = Container::run(
        engine,
        &["-l", "b=2", "-l", "a=1", "busybox", "sleep", "1000"],
    );
    let filter = format!("id={}", container.id);
    let ps = |format: &str| tool(engine).run(["ps", "-f", &filter, "--format", format]);
    ps("{{.Names}} {{upper .State}} {{.Labels}}").assert(
        0,
        &format!("{} RUNNING a=1,b=2\n", container.name),
        "",
    );
    ps(r"table {{.Names}}\t{{.Image}}").assert(
        0,
        &format!(
            "{:width$}   IMAGE\n{}   busybox\n",
            "NAMES",
            container.name,
            width = container.name.len()
        ),
        "",
    );
    let row: Value = serde_json::from_str(&ps("json").out()).expect("an object");
    assert_eq!(row["Names"], container.name.as_str());
    assert_eq!(row["ID"], &container.id[..12]);
    let size = ps("{{.Size}}").out();
    assert!(size.contains("(virtual "), "{size}");
}

#[test]
fn mistakes_are_refused_before_the_engine_is_asked() {
    let program = crate::support::program().with_env("DOCKER_HOST", "unix:///nowhere/at-all");
    for (words, code, message) in [
        (
            ["--format", "{{.Nmae}}"],
            1,
            "template: there is no field .Nmae here; the fields are .Command, ",
        ),
        (
            ["--format", "{{printg 1}}"],
            1,
            "template: there is no function printg; the functions are ",
        ),
        (
            ["--filter", "running"],
            125,
            "invalid argument \"running\" for \"-f, --filter\" flag: bad format of filter (expected name=value)",
        ),
    ] {
        let outcome = program.run(["ps"].iter().chain(&words));
        assert_eq!(outcome.code, Some(code), "{}", outcome.err());
        assert!(outcome.err().starts_with(message), "{}", outcome.err());
    }
}

#[test]
fn a_filter_that_the_engine_does_not_know_is_its_error() {
    let engine = engine!();
    let outcome = tool(engine).run(["ps", "-f", "colour=red"]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.err().starts_with("Error response from daemon: "),
        "{}",
        outcome.err()
    );
}

#[test]
fn a_size_is_that_of_what_was_written() {
    let engine = engine!();
    let script =
        "dd if=/dev/zero of=/file bs=1000 count=512 2>/dev/null; mkdir /a; exec sleep 1000";
    let container = Container::run(engine, &["busybox", "sh", "-c", script]);
    let size = |id: &str| {
        let words = ["inspect", "--size", "--format", "{{.SizeRw}}", id];
        tool(engine).run(words).out()
    };
    until(|| (size(&container.id) == "512000\n").then_some(()));
    let idle = Container::run(engine, &["busybox", "sleep", "1000"]);
    assert_eq!(size(&idle.id), "0\n");
}

#[test]
fn a_published_port_is_looked_for_by_the_machines_number() {
    let engine = engine!();
    let name = unique("published");
    let words = [
        "run",
        "-d",
        "--name",
        &name,
        "-p",
        "127.0.0.1::80",
        "busybox",
        "sleep",
        "1000",
    ];
    let outcome = tool(engine).run(words);
    // Some machines let no port be published.
    if outcome.code != Some(0) {
        engine.remove(&name);
        harness::left_out::<()>(
            "ps::a_published_port_is_looked_for_by_the_machines_number",
            "an engine with a bridge",
        );
        return;
    }
    let ports = engine.inspect(&name)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"].clone();
    let port = ports.as_str().expect("a port").to_owned();
    let found = |filter: &str| {
        let words = ["ps", "--format", "{{.Names}}", "-f", filter];
        tool(engine)
            .run(words)
            .out()
            .lines()
            .any(|line| line == name)
    };
    assert!(found(&format!("publish={port}")));
    assert!(!found("publish=80"));
    engine.remove(&name);
}

#[test]
fn an_image_goes_by_its_name_while_that_is_its_own() {
    let engine = engine!();
    let tag = format!("{}:latest", unique("moving"));
    let load = |file: &str| {
        let archive = harness::Image::busybox()
            .with_file(file, 0o644, file)
            .archive(&tag);
        let loaded = tool(engine).run_with(["load"], archive);
        assert_eq!(loaded.code, Some(0), "{loaded:?}");
    };
    load("/first");
    let container = Container::run(engine, &[&tag, "sleep", "1000"]);
    let shown = || {
        let filter = format!("id={}", container.id);
        tool(engine)
            .run(["ps", "--format", "{{.Image}}", "-f", &filter])
            .out()
    };
    assert_eq!(shown(), format!("{tag}\n"));
    load("/second");
    let id = engine.inspect(&container.id)["Image"].clone();
    let id = id
        .as_str()
        .expect("an id")
        .trim_start_matches("sha256:")
        .to_owned();
    assert_eq!(shown(), format!("{}\n", &id[..12]));
    tool(engine).run(["rmi", "-f", &tag]);
}

#[test]
fn ids_alone_have_no_other_format() {
    let engine = engine!();
    let container = Container::idle(engine);
    let filter = format!("id={}", container.id);
    let words = [
        "ps",
        "-q",
        "--no-trunc",
        "--format",
        "{{.Names}}",
        "-f",
        &filter,
    ];
    tool(engine).run(words).assert(
        0,
        &format!("{}\n", container.id),
        "WARNING: Ignoring custom format, because both --format and --quiet are set.\n",
    );
}

#[test]
fn a_network_is_found_by_the_beginning_of_its_id_and_a_bind_by_its_source() {
    let engine = engine!();
    let tool = tool(engine);
    let source = tool.directory().join("source");
    std::fs::create_dir(&source).expect("a directory");
    let source = source.display().to_string();
    let bind = format!("{source}:/bound");
    let container = Container::run(
        engine,
        &["-v", &bind, "-v", "/own", "busybox", "sleep", "1000"],
    );
    let inspected = |format: &str| {
        let outcome = tool.run(["inspect", "-f", format, &container.name]);
        outcome.out().trim().to_owned()
    };
    let network = inspected("{{.NetworkSettings.Networks.bridge.NetworkID}}");
    let shown = engine
        .api()
        .get(&format!("/containers/{}/json", container.id))
        .json();
    let mounts = shown["Mounts"].as_array().expect("mounts");
    let volume = mounts
        .iter()
        .find_map(|mount| mount["Name"].as_str().filter(|name| !name.is_empty()))
        .expect("a volume");
    let name = format!("name={}", container.name);
    let short = format!("{}\n", &container.id[..12]);
    for (filter, is_shown) in [
        (format!("network={}", &network[..12]), true),
        (format!("network={network}"), true),
        ("network=bridge".to_owned(), true),
        ("network=none".to_owned(), false),
        (format!("volume={source}"), true),
        ("volume=/bound".to_owned(), true),
        (format!("volume={volume}"), true),
        ("volume=/own".to_owned(), true),
        (format!("volume={source}/below"), false),
    ] {
        let expected = if is_shown { short.as_str() } else { "" };
        let outcome = tool.run(["ps", "-q", "-f", &name, "-f", &filter]);
        assert_eq!(outcome.out(), expected, "{filter}");
    }
}
