//! Who a process runs as: `--user`, `--group-add`, `exec --user`, and the image's `USER`.

use harness::{Engine, Image, Kind};

use crate::{engine, tool, until_running};

/// Its files have numbers for names, all of root.
fn import(engine: &Engine) -> &'static str {
    let image = Image::busybox()
        .with_file(
            "etc/passwd",
            0o644,
            "root:x:0:0::/root:/bin/sh\n1000:x:0:0::/root:/bin/sh\n4294967296:x:0:0::/root:/bin/sh\n\
             99999999999999999999:x:0:0::/root:/bin/sh\n",
        )
        .with_file("etc/group", 0o644, "root:x:0:\n1000:x:0:\n2000:x:42:\n");
    engine.import_with(&image, "users-numbers:1", &["USER 1000"]);
    "users-numbers:1"
}

const IDS: [&str; 3] = ["sh", "-c", "echo $(id -u) $(id -g)"];

/// CVE-2016-3697: an image named its root `1000`.
#[test]
fn a_number_is_an_id_and_never_a_name() {
    let engine = engine!();
    let image = import(engine);
    for (options, ids) in [
        (&[][..], "1000 0"),
        (&["--user", "1000"], "1000 0"),
        (&["--user", "+1000"], "1000 0"),
        (&["--user", "0001000"], "1000 0"),
        (&["--user", "1000:2000"], "1000 2000"),
        (&["--user", "0:1000"], "0 1000"),
    ] {
        let words = [&["run", "--rm"], options, &[image], &IDS].concat();
        tool(engine).run(words).assert(0, &format!("{ids}\n"), "");
    }
    let name = "users-of-exec";
    let words = ["run", "-d", "--name", name, image, "sleep", "1000"];
    assert_eq!(tool(engine).run(words).code, Some(0));
    until_running(engine, name);
    for (options, ids) in [
        (&[][..], "1000 0"),
        (&["--user", "1000:2000"], "1000 2000"),
        (&["--user", "2000"], "2000 0"),
    ] {
        let words = [&["exec"], options, &[name], &IDS].concat();
        tool(engine).run(words).assert(0, &format!("{ids}\n"), "");
    }
    engine.remove(name);
}

/// CVE-2026-46680: what was too large for a number became a name, and root.
#[test]
fn a_number_that_no_id_can_be_is_refused() {
    let engine = engine!();
    let image = import(engine);
    let mut numbers = vec!["4294967296", "2147483648", "-1"];
    // Docker 20.10 and Podman take this one for a name, as newer ones do not.
    if matches!(engine.kind(), Kind::Embedded | Kind::Rootless) {
        numbers.push("99999999999999999999");
    }
    for number in numbers {
        for user in [number.to_owned(), format!("0:{number}")] {
            let user = format!("--user={user}");
            let words = [&["run", "--rm", &user, image][..], &IDS].concat();
            let outcome = tool(engine).run(words);
            assert_ne!(outcome.code, Some(0), "{user}: {}", outcome.out());
            assert_eq!(outcome.out(), "", "{user}");
            assert!(outcome.err().contains("range"), "{user}: {}", outcome.err());
        }
    }
}

/// Docker looks an additional group up by its name first, so this is stricter.
#[test]
fn an_additional_group_that_is_a_number_is_an_id() {
    let engine = engine!();
    if !matches!(engine.kind(), Kind::Embedded | Kind::Rootless) {
        return;
    }
    let image = import(engine);
    let groups_of = ["id", "-G"];
    for (groups, ids) in [
        (&["--group-add=1000"][..], "0 1000\n"),
        (&["--group-add=2000", "--group-add=root"], "0 2000\n"),
    ] {
        let words = [&["run", "--rm"], groups, &[image], &groups_of].concat();
        tool(engine).run(words).assert(0, ids, "");
    }
    let words = [
        &["run", "--rm", "--group-add=4294967296", image][..],
        &groups_of,
    ]
    .concat();
    tool(engine)
        .run(words)
        .assert_err_contains(125, "", "uids and gids must be in range");
}

#[test]
fn an_empty_home_is_the_users() {
    let engine = engine!();
    let script = "echo $HOME";
    for (options, home) in [
        (&["-e", "HOME="][..], "/root"),
        (&["-e", "HOME=", "--user", "nobody"], "/"),
        (&["-e", "HOME=/tmp"], "/tmp"),
    ] {
        let words = [&["run", "--rm"], options, &["busybox", "sh", "-c", script]].concat();
        tool(engine).run(words).assert(0, &format!("{home}\n"), "");
    }
}
