//! Images whose directories are symbolic links to where something is mounted or made: to the machine's files by absolute
//! names and by `..`, to themselves, to nowhere, through `/proc`. Whatever they lead to is looked for in the container,
//! nothing of the machine's is touched, and dockerd does the same.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use harness::{Engine, Image, Kind, Outcome, Program};

use crate::state::State;

fn tool(engine: &Engine) -> Program {
    Program::new(env!("CARGO_BIN_EXE_tool")).with_env("DOCKER_HOST", engine.host())
}

/// What the machine has and no container shall see or change.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Machine {
        let machine = Machine(tempfile::tempdir().expect("a directory"));
        fs::create_dir(machine.secret()).expect("a directory");
        for name in ["hosts", "hostname", "resolv.conf", "passwd", "file"] {
            fs::write(machine.secret().join(name), "the machine's\n").expect("a file");
        }
        fs::create_dir(machine.given()).expect("a directory");
        fs::write(machine.given().join("given"), "given\n").expect("a file");
        machine
    }

    fn secret(&self) -> PathBuf {
        self.0.path().join("secret")
    }

    /// What a container is given.
    fn given(&self) -> PathBuf {
        self.0.path().join("given")
    }

    /// All that is there and what it holds.
    fn seen(&self) -> Vec<(PathBuf, String)> {
        fn add(directory: &Path, seen: &mut Vec<(PathBuf, String)>) {
            for entry in fs::read_dir(directory).expect("a directory").flatten() {
                let path = entry.path();
                match path.is_dir() && !path.is_symlink() {
                    true => {
                        seen.push((path.clone(), String::new()));
                        add(&path, seen);
                    }
                    false => {
                        let content = fs::read_to_string(&path).unwrap_or_default();
                        seen.push((path, content));
                    }
                }
            }
        }
        let mut seen = Vec::new();
        add(self.0.path(), &mut seen);
        seen.sort();
        seen
    }
}

/// What a container shows of itself: where something is mounted, what is in the places in question.
const SHOW: &str = "cut -d' ' -f5 /proc/self/mountinfo | grep -v -e ^/proc/ -e ^/sys -e ^/dev/ -e null$ | sort -u; \
                    for place in /data /data/* /work /made /made/*; do test -e $place && ls -ld $place | sed 's/ .* / /'; done; \
                    cat /data/given /data/sub/given /etc/hostname /data/file 2>&1";

/// What links lead to: what the machine has there, and what the container may have.
const TARGETS: [(&str, bool); 8] = [
    ("SECRET", true),
    ("../../../../../../../..SECRET", true),
    ("ITSELF", true),
    ("/made/below", true),
    ("../..", true),
    // runc takes them for directories of the image, or for the process's own; here they are refused.
    ("/proc/1/rootSECRET", false),
    ("/proc/self/root", false),
    ("/proc/self/fd/3", false),
];

#[test]
fn links_lead_nowhere_else() {
    let test = "links::links_lead_nowhere_else";
    let start = |kind| match Engine::start(kind) {
        Ok(engine) => Some(engine),
        Err(missing) => harness::left_out(test, &missing.to_string()),
    };
    let (Some(docker), Some(embedded)) = (start(Kind::Dockerd), start(Kind::Embedded)) else {
        return;
    };
    let machine = Machine::new();
    let before = machine.seen();
    let given = machine.given().display().to_string();
    let bind = format!("{given}:/data");
    let bind_below = format!("{given}:/data/sub");
    let bind_file = format!("{given}/given:/data");
    let cases: &[(&str, &[&str])] = &[
        ("/etc", &[]),
        ("/etc/resolv.conf", &[]),
        ("/dev", &[]),
        ("/proc", &[]),
        ("/sys", &[]),
        ("/data", &["--volume", &bind]),
        ("/data", &["--volume", &bind_below]),
        ("/data", &["--volume", &bind_file]),
        ("/data", &["--tmpfs", "/data"]),
        ("/data", &["--volume", "/data"]),
        ("/data", &["--volume", "/data/sub"]),
        ("/data", &["--read-only", "--volume", &bind]),
        ("/data", &["--device", "/dev/null:/data/null"]),
        (
            "/data",
            &["--init", "--user", "1000", "--workdir", "/data/sub"],
        ),
        ("/sbin", &["--init"]),
    ];
    let mut wrong = Vec::new();
    for (target, is_compared) in TARGETS {
        let mut imported: Option<&str> = None;
        for (place, options) in cases {
            let (parent, name) = place.rsplit_once('/').expect("a path");
            let mut target = target
                .replace("SECRET", &machine.secret().display().to_string())
                .replace("ITSELF", name);
            // A file is mounted on a file.
            if parent == "/etc" && target.ends_with("/secret") {
                target.push_str("/resolv.conf");
            }
            let mut words = vec!["run", "--rm", "--network", "none", "--hostname", "box"];
            words.extend(options.iter().copied());
            words.extend(["links", "sh", "-c", SHOW]);
            let engines = [Some(&embedded), is_compared.then_some(&docker)];
            let outcomes: Vec<Outcome> = engines
                .into_iter()
                .flatten()
                .map(|engine| {
                    if imported != Some(place) {
                        let image = Image::busybox()
                            .with_file("data/file", 0o644, "the image's\n")
                            .with_link(place, &target);
                        engine.import(&image, "links:latest");
                    }
                    let outcome = tool(engine).run(&words);
                    if machine.seen() != before {
                        wrong.push(format!(
                            "{place} -> {target}, {options:?}, {:?}: the machine has {:?}",
                            engine.kind(),
                            machine.seen()
                        ));
                    }
                    outcome
                })
                .collect();
            imported = Some(place);
            // Both may refuse it, each in its own words.
            let is_refused =
                |outcome: &Outcome| outcome.code >= Some(125) && outcome.out().is_empty();
            if let [seen, expected] = &outcomes[..]
                && !(is_refused(seen) && is_refused(expected))
                && (seen.code, seen.out()) != (expected.code, expected.out())
            {
                wrong.push(format!(
                    "{place} -> {target}, {options:?}:\n  dockerd {:?} {:?} {:?}\n  here    {:?} {:?} {:?}",
                    expected.code,
                    expected.out(),
                    expected.err(),
                    seen.code,
                    seen.out(),
                    seen.err()
                ));
            }
            let err = outcomes[0].err();
            if err.contains("libcontainer") || err.contains("Channel") || err.contains("Mount") {
                wrong.push(format!("{place} -> {target}, {options:?}: it says {err}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A directory is not an image: nothing of it is taken away, and what is missing is made in it, unless that is thrown away.
#[test]
fn links_of_a_directory_lead_nowhere_else() {
    let Some(state) = State::new("links::links_of_a_directory_lead_nowhere_else") else {
        return;
    };
    let machine = Machine::new();
    let before = machine.seen();
    let secret = machine.secret();
    let root = Path::new(&state.rootfs);
    // As systemd-resolved has it, on a machine whose /run is not the container's.
    symlink(
        "../run/resolve/stub-resolv.conf",
        root.join("etc/resolv.conf"),
    )
    .expect("a link");
    symlink(secret.join("hosts"), root.join("etc/hosts")).expect("a link");
    symlink(secret.join("new"), root.join("work")).expect("a link");
    symlink("/", root.join("up")).expect("a link");
    let run = |suffix: &str, options: &[&str], script: &str| {
        let rootfs = format!("{}{suffix}", state.rootfs);
        let words = ["run", "--rm", "--network", "none", "--hostname", "box"];
        let words = [
            &words[..],
            options,
            &["--rootfs", &rootfs, "sh", "-c", script],
        ]
        .concat();
        state.tool(&words)
    };
    let given = format!("{}:/up", machine.given().display());
    let script = "cat /etc/hostname; grep -c ^127.0.0.1 /etc/hosts; cat /etc/resolv.conf >/dev/null; pwd -P; ls -d /.dockerenv";
    let work = secret.join("new").display().to_string();
    // Its own changes are thrown away.
    let outcome = run(":O", &["--workdir", "/work"], script);
    outcome.assert(0, &format!("box\n1\n{work}\n/.dockerenv\n"), "");
    assert!(!root.join("run").exists() && !root.join(".dockerenv").exists());
    let outcome = run(":O", &["--volume", &given], "true");
    outcome.assert_err_contains(125, "", "a link there leads to the root directory");
    // They are its own.
    let outcome = run("", &["--workdir", "/work"], script);
    assert_eq!(
        outcome.out(),
        format!("box\n1\n{work}\n"),
        "{}",
        outcome.err()
    );
    assert!(root.join("run/resolve/stub-resolv.conf").is_file());
    assert!(root.join("etc/hosts").is_symlink() && !root.join(".dockerenv").exists());
    fs::remove_dir(root.join("dev")).expect("an empty directory");
    symlink(&secret, root.join("dev")).expect("a link");
    let outcome = run("", &[], "true");
    outcome.assert_err_contains(
        125,
        "",
        "/dev is a symbolic link, and a container needs a directory there",
    );
    let outcome = run(":O", &[], "echo x >/dev/null; echo done");
    outcome.assert(0, "done\n", "");
    assert_eq!(machine.seen(), before);
}
