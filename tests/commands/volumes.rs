//! `volume create`, `ls`, `inspect`, `rm`

use crate::{Container, engine, first_line, tool, unique};

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
