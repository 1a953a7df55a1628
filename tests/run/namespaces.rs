//! `--ipc`, `--uts`, and the names that a container goes by.

use harness::{Engine, Kind};

use crate::{engine, tool, until};

/// A container that shows what it has in its shared memory, started with these options.
fn donor(engine: &'static Engine, options: &[&str]) -> String {
    let script = "echo shared >/dev/shm/file; touch /ready; exec sleep 1000";
    let words = [&["run", "-d"], options, &["busybox", "sh", "-c", script]];
    let outcome = tool(engine).run(words.concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    let id = outcome.out().trim().to_owned();
    until(|| {
        let seen = tool(engine).run(["exec", &id, "test", "-e", "/ready"]);
        (seen.code == Some(0)).then_some(())
    });
    id
}

#[test]
fn shared_memory_is_anothers_who_shares_it() {
    let engine = engine!();
    let id = donor(engine, &["--ipc", "shareable"]);
    let ipc = format!("container:{id}");
    let script = "cat /dev/shm/file; echo more >>/dev/shm/file; readlink /proc/self/ns/ipc";
    let words = ["run", "--rm", "--ipc", &ipc, "busybox", "sh", "-c", script];
    let outcome = tool(engine).run(words);
    let namespace = tool(engine).run(["exec", &id, "readlink", "/proc/self/ns/ipc"]);
    outcome.assert(0, &format!("shared\n{}", namespace.out()), "");
    let seen = tool(engine).run(["exec", &id, "cat", "/dev/shm/file"]);
    seen.assert(0, "shared\nmore\n", "");
    engine.remove(&id);
}

/// Not that of whoever has the number of its process by then.
#[test]
fn network_and_processes_are_anothers_who_is_named() {
    let engine = engine!();
    let id = donor(engine, &[]);
    let other = format!("container:{id}");
    for (option, kind) in [("--network", "net"), ("--pid", "pid")] {
        let link = format!("/proc/self/ns/{kind}");
        let theirs = tool(engine).run(["exec", &id, "readlink", &link]);
        let words = ["run", "--rm", option, &other, "busybox", "readlink", &link];
        tool(engine).run(words).assert(0, &theirs.out(), "");
    }
    engine.remove(&id);
}

#[test]
fn shared_memory_that_is_private_stays_so() {
    let engine = engine!();
    let id = donor(engine, &["--ipc", "private"]);
    let ipc = format!("container:{id}");
    let outcome = tool(engine).run(["run", "--rm", "--ipc", &ipc, "busybox", "true"]);
    outcome.assert_err_contains(125, "", "non-shareable IPC");
    engine.remove(&id);
}

#[test]
fn a_container_in_the_machines_namespace_has_no_name_of_its_own() {
    let engine = engine!();
    let outcome = tool(engine).run([
        "run", "--rm", "--uts", "host", "-h", "own", "busybox", "true",
    ]);
    outcome.assert_err_contains(125, "", "hostname");
    assert!(outcome.err().contains("UTS"), "{}", outcome.err());
}

#[test]
fn a_long_name_has_a_short_one_beside_it() {
    let engine = engine!();
    let script = "tail -1 /etc/hosts | tr '\\t' ' ' | cut -d' ' -f2-";
    for (options, names) in [
        (&["-h", "plain"][..], "plain\n"),
        (&["-h", "foo.bar"], "foo.bar foo\n"),
        (&["-h", "a.b", "--domainname", "c.d"], "a.b.c.d a\n"),
    ] {
        let words = [
            &["run", "--rm", "--network", "bridge"],
            options,
            &["busybox", "sh", "-c", script],
        ];
        tool(engine).run(words.concat()).assert(0, names, "");
    }
}

/// Docker writes such a name into `/etc/hosts`, where it is a line of its own.
#[test]
fn a_name_is_one_word_of_the_hosts_file() {
    let engine = engine!();
    let is_ours = matches!(engine.kind(), Kind::Embedded | Kind::Rootless);
    if !is_ours {
        return;
    }
    let label = "a_name_is_one_word";
    for (option, name) in [
        ("--hostname", "box\n10.0.0.66 registry.example"),
        ("--hostname", "two words"),
        ("--hostname", "#box"),
        ("--domainname", "example.org\n10.0.0.66 registry.example"),
        ("--domainname", "a\u{1b}]0;title"),
    ] {
        let words = ["run", "-l", label, option, name, "busybox", "true"];
        let outcome = tool(engine).run(words);
        let what = option.trim_start_matches('-');
        let text = format!("invalid {what} format: {name:?}: use one word");
        outcome.assert_err_contains(125, "", &text);
    }
    for (option, value, text) in [
        (
            "--add-host",
            "box\n10.0.0.66 x:1.2.3.4",
            "bad format for add-host",
        ),
        (
            "--dns-option",
            "ndots:1\nnameserver 10.0.0.66",
            "is not a valid option of the resolver",
        ),
    ] {
        let words = ["run", "-l", label, option, value, "busybox", "true"];
        tool(engine).run(words).assert_err_contains(125, "", text);
    }
    assert!(engine.containers(label).is_empty());
}
