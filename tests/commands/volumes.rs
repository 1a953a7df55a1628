//! `volume create`, `ls`, `inspect`, `rm`

use crate::{Container, docker, engine, first_line, tool, unique};

#[test]
fn a_volume_is_made_listed_and_removed() {
    let engine = engine!();
    let name = unique("volume");
    let line = format!("{name}\n");
    let create = ["volume", "create", "--label", "purpose=test", &name];
    tool(engine).run(create).assert(0, &line, "");
    tool(engine)
        .run(["volume", "create", &name])
        .assert(0, &line, "");
    let filter = format!("name={name}");
    tool(engine)
        .run(["volume", "ls", "-q", "-f", &filter])
        .assert(0, &line, "");
    tool(engine).run(["volume", "ls", "-f", &filter]).assert(
        0,
        &format!("DRIVER    VOLUME NAME\nlocal     {name}\n"),
        "",
    );
    let format = "{{.Scope}} {{index .Labels \"purpose\"}}";
    tool(engine)
        .run(["volume", "inspect", "-f", format, &name])
        .assert(0, "local test\n", "");
    tool(engine)
        .run(["volume", "rm", &name])
        .assert(0, &line, "");
    let outcome = tool(engine).run(["volume", "rm", &name]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        first_line(&outcome).ends_with("no such volume"),
        "{}",
        outcome.err()
    );
    tool(engine)
        .run(["volume", "rm", "-f", &name])
        .assert(0, &line, "");
    let outcome = tool(engine).run(["volume", "create", "--label", "=x"]);
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn volumes_are_listed_in_dockers_order() {
    let engine = engine!();
    let name = unique("volume");
    let names = ["2", "02", "10", "-1", "a"].map(|end| format!("{name}x{end}"));
    let create = |name: &String| tool(engine).run(["volume", "create", name]);
    for name in names.iter().rev() {
        create(name).assert(0, &format!("{name}\n"), "");
    }
    let filter = format!("name={name}x");
    let listed = names.join("\n") + "\n";
    tool(engine)
        .run(["volume", "ls", "-q", "-f", &filter])
        .assert(0, &listed, "");
    if let Some(clients) = docker::client(engine, "volumes_are_listed_in_dockers_order") {
        let lines = ["-q ", ""].map(|quiet| format!("volume ls {quiet}-f {filter}"));
        assert_eq!(clients.compare(lines, &[]), [""; 0]);
    }
    let remove = ["volume", "rm"].into_iter();
    let remove = remove.chain(names.iter().map(String::as_str));
    tool(engine).run(remove).assert(0, &listed, "");
}

#[test]
fn a_volume_in_use_stays() {
    let engine = engine!();
    let name = unique("volume");
    let container = Container::run(
        engine,
        &["-v", &format!("{name}:/data"), "busybox", "sleep", "1000"],
    );
    let outcome = tool(engine).run(["volume", "rm", &name]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        first_line(&outcome).contains("volume is in use"),
        "{}",
        outcome.err()
    );
    tool(engine).run(["rm", "-f", &container.name]);
    tool(engine)
        .run(["volume", "rm", &name])
        .assert(0, &format!("{name}\n"), "");
}

#[test]
fn the_name_of_a_new_volume_may_be_an_option() {
    let engine = engine!();
    let name = unique("volume");
    let line = format!("{name}\n");
    let option = format!("--name={name}");
    tool(engine)
        .run(["volume", "create", &option])
        .assert(0, &line, "");
    let outcome = tool(engine).run(["volume", "create", &option, "other"]);
    outcome.assert_err_contains(
        1,
        "",
        "conflicting options: cannot specify a volume-name through both",
    );
    tool(engine)
        .run(["volume", "create", "--name=", &name])
        .assert(0, &line, "");
    tool(engine)
        .run(["volume", "rm", &name])
        .assert(0, &line, "");
}

/// As dockerd has it: a volume that nobody named goes with the last container that has it, whoever it was made for.
#[test]
fn an_anonymous_volume_goes_with_the_last_that_has_it() {
    let engine = engine!();
    let tool = tool(engine);
    let make = |words: &[&str]| {
        let all = ["run", "-d"]
            .iter()
            .chain(words)
            .chain(&["busybox", "true"]);
        let outcome = tool.run(all);
        assert_eq!(outcome.code, Some(0), "{}", outcome.err());
        let id = outcome.out().trim().to_owned();
        tool.run(["wait", &id]);
        id
    };
    let volumes = |container: &str| {
        let format = "{{range .Mounts}}{{.Name}} {{end}}";
        let outcome = tool.run(["inspect", "-f", format, container]);
        let names = outcome.out();
        names
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let is_there = |volume: &str| tool.run(["volume", "inspect", volume]).code == Some(0);
    let remove = |words: &[&str]| {
        let outcome = tool.run(["rm"].iter().chain(words));
        assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    };
    let named = unique("named");
    // (how the parent goes, how the child goes, whether the volume stays)
    for (parents, childs, stays) in [
        ("-f", "-fv", false),
        ("-fv", "-fv", false),
        ("-fv", "-f", true),
        ("-f", "-f", true),
    ] {
        let own = format!("{named}:/named");
        let parent = make(&["-v", "/anonymous", "-v", &own]);
        let volume = volumes(&parent).into_iter().find(|name| *name != named);
        let volume = volume.expect("a volume");
        let child = make(&["--volumes-from", &parent]);
        remove(&[parents, &parent]);
        assert!(is_there(&volume), "the child has it");
        remove(&[childs, &child]);
        assert_eq!(is_there(&volume), stays, "{parents} {childs}");
        assert!(is_there(&named), "somebody named it");
        if stays {
            tool.run(["volume", "rm", &volume]);
        }
    }
    // The child first, and a grandchild.
    let parent = make(&["-v", "/anonymous"]);
    let volume = volumes(&parent).remove(0);
    let child = make(&["--volumes-from", &parent]);
    let grandchild = make(&["--volumes-from", &child]);
    for container in [&child, &parent] {
        remove(&["-fv", container]);
        assert!(is_there(&volume));
    }
    remove(&["-fv", &grandchild]);
    assert!(!is_there(&volume));
    // Who names a volume has it, whoever made it.
    let parent = make(&["-v", "/anonymous"]);
    let volume = volumes(&parent).remove(0);
    let child = make(&["-v", &format!("{volume}:/mine")]);
    remove(&["-f", &parent]);
    remove(&["-fv", &child]);
    assert!(is_there(&volume));
    tool.run(["volume", "rm", &volume, &named]);
}
