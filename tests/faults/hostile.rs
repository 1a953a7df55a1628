//! Containers that try to get out, or at what is not theirs: a program that makes each try and says what came of it, in a
//! container of dockerd and in one of the engine inside of `tool`, under the same defaults on the same machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Engine, Image, Kind, Program};

/// What differs from dockerd 20.10, and why.
///
/// The page of the embedded engine says so, too.
const DIFFERENT: &[(&str, &str)] = &[
    ("alg socket", REFUSED_BY_NEWER),
    ("vsock", REFUSED_BY_NEWER),
    ("alg socket wide", REFUSED_HERE_ALONE),
    ("vsock wide", REFUSED_HERE_ALONE),
    ("vsock negative", REFUSED_HERE_ALONE),
    ("alg socket of i386", REFUSED_HERE_ALONE),
    ("vsock of i386", REFUSED_HERE_ALONE),
    ("unix socket of i386", REFUSED_HERE_ALONE),
    ("io_uring_setup", REFUSED_BY_NEWER),
    ("open tun", REFUSED_BY_NEWER),
    (
        "open to write /proc/interrupts",
        "newer versions of Docker show nothing there, which anybody may write to",
    ),
    ("process_vm_readv", ALLOWED_BY_NEWER),
    ("name_to_handle_at", ALLOWED_BY_NEWER),
    (
        "mkdir /sys/fs/cgroup/x",
        "the tree of cgroups is read-only as a whole",
    ),
    (
        "open to write /sys/kernel/mm/transparent_hugepage/enabled",
        ANOTHER_REFUSAL,
    ),
    ("open to write /sys/power/state", ANOTHER_REFUSAL),
];

const REFUSED_BY_NEWER: &str = "newer versions of Docker and runc refuse it, as we do";
const REFUSED_HERE_ALONE: &str =
    "the filter compares the bits that the kernel reads, and makes no sockets by socketcall";
const ALLOWED_BY_NEWER: &str = "newer versions of Docker allow it, as we do";
const ANOTHER_REFUSAL: &str =
    "the file's mode is looked at before the mount, as one is read-only and not the file system";

const EPERM: &str = "1";
const ENOSYS: &str = "38";

/// The program, compiled without libraries.
pub(crate) fn program() -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/faults/hostile.c");
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("hostile");
    let status = Command::new("cc")
        .args(["-static", "-o"])
        .arg(&program)
        .arg(source)
        .status()
        .expect("a C compiler; install gcc");
    assert!(status.success());
    fs::read(program).expect("what was compiled")
}

fn tool(engine: &Engine) -> Program {
    Program::new(env!("CARGO_BIN_EXE_tool")).with_env("DOCKER_HOST", engine.host())
}

/// What came of each try.
fn tried(engine: &Engine, words: &[&str]) -> BTreeMap<String, String> {
    let outcome = tool(engine).run(words);
    assert_eq!(
        (outcome.code, outcome.err()),
        (Some(0), String::new()),
        "{words:?}, {}",
        outcome.out()
    );
    let lines: BTreeMap<String, String> = outcome
        .out()
        .lines()
        .filter_map(|line| line.rsplit_once([' ', '\t']))
        .map(|(name, answer)| (name.trim().to_owned(), answer.to_owned()))
        .collect();
    assert!(lines.len() > 100, "{lines:?}");
    lines
}

#[test]
fn a_hostile_container_is_refused_what_dockerd_refuses() {
    let test = "hostile::a_hostile_container_is_refused_what_dockerd_refuses";
    let start = |kind| match Engine::start(kind) {
        Ok(engine) => Some(engine),
        Err(missing) => harness::left_out(test, &missing.to_string()),
    };
    let (Some(docker), Some(embedded)) = (start(Kind::Dockerd), start(Kind::Embedded)) else {
        return;
    };
    let image = Image::busybox().with_file("bin/hostile", 0o755, program());
    let mut wrong = Vec::new();
    for engine in [&docker, &embedded] {
        engine.import(&image, "hostile:latest");
        let long = [
            "run",
            "-d",
            "--name",
            "long",
            "--network",
            "none",
            "hostile",
            "sleep",
            "1000",
        ];
        assert_eq!(tool(engine).run(long).code, Some(0));
    }
    for (case, words) in [
        ("root", "run --rm --network none hostile hostile"),
        (
            "another user",
            "run --rm --network none --user 1000:1000 hostile hostile",
        ),
        (
            "no new privileges",
            "run --rm --network none --security-opt no-new-privileges hostile hostile",
        ),
        (
            "the machine's network",
            "run --rm --network host hostile hostile",
        ),
        (
            "a process of another user that joins",
            "exec --user 1000:1000 long hostile exec",
        ),
        // The last: it removes what runc needs of another.
        ("a process that joins", "exec long hostile exec"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let expected = tried(&docker, &words);
        let seen = tried(&embedded, &words);
        let names = expected.keys().chain(seen.keys());
        let names: std::collections::BTreeSet<&String> = names.collect();
        // What differs is refused, and by nothing else than the filter.
        for (name, answer) in [
            ("vsock", EPERM),
            ("vsock wide", EPERM),
            ("vsock negative", EPERM),
            ("alg socket", EPERM),
            ("alg socket wide", EPERM),
            ("vsock of i386", ENOSYS),
            ("alg socket of i386", ENOSYS),
            ("unix socket of i386", ENOSYS),
        ] {
            // A kernel without 32-bit programs has no line of them.
            if seen
                .get(name)
                .map_or(!name.ends_with("i386"), |seen| seen != answer)
            {
                wrong.push(format!("{case}: {name}: {:?}", seen.get(name)));
            }
        }
        for name in names {
            if expected.get(name) != seen.get(name)
                && !DIFFERENT.iter().any(|(different, _)| different == name)
            {
                wrong.push(format!(
                    "{case}: {name}: {:?} with dockerd and {:?} here",
                    expected.get(name),
                    seen.get(name)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A working directory may be named by a descriptor that is open on the way into the container (CVE-2024-21626). The image
    // has no /usr, and the machine has.
    for number in 3..12 {
        let directory = format!("/proc/self/fd/{number}");
        let look = "test -e ../../../../../../../usr && echo out";
        for words in [
            vec![
                "run",
                "--rm",
                "--network",
                "none",
                "--workdir",
                &directory,
                "hostile",
                "sh",
                "-c",
                look,
            ],
            vec!["exec", "--workdir", &directory, "long", "sh", "-c", look],
        ] {
            let outcome = tool(&embedded).run(&words);
            assert_ne!(outcome.code, Some(0), "{words:?}: {outcome:?}");
            assert_ne!(outcome.out(), "out\n", "{words:?}");
        }
    }
}
