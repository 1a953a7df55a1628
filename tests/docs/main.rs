//! The book says what the binary and the tests say. `UPDATE_DOCS=1 cargo test -p tool --test docs` writes those pages anew.

#[path = "../lacks.rs"]
mod lacks;
mod tree;

use std::path::Path;
use std::process::Command;

use harness::Kind;

/// The reference of `run` is its help at 80 columns.
#[test]
fn the_reference_of_run_is_its_help() {
    let output = Command::new(env!("CARGO_BIN_EXE_tool"))
        .args(["run", "--help"])
        .env_clear()
        .env("COLUMNS", "80")
        .output()
        .expect("tool starts");
    assert!(output.status.success(), "{output:?}");
    let help = String::from_utf8(output.stdout).expect("help is text");
    let expected = format!(
        "# Reference: tool run\n\nThis is what `tool run --help` prints; a test keeps it so.\n\n```text\n{}\n```\n",
        help.trim_end()
    );
    assert_page("reference-run.md", &expected);
}

/// What an engine cannot do is what is left out of its tests.
#[test]
fn the_limits_of_engines_are_those_of_their_tests() {
    let mut page = "\
# Engines

`tool` speaks the Engine API, so any engine that does will do. It is tested on Docker's own `dockerd`, and `tool run` on
Podman's Docker-compatible service too.

## The embedded engine

Where no engine is named and `/var/run/docker.sock` does not exist, `tool` uses its
[embedded engine](embedded.md); `-H embedded://` selects it anywhere. The end-to-end tests are run on
it with `TEST_ENGINE=embedded cargo test -p tool`. This is what it does not do, printed from the tests that are left out:

"
    .to_owned();
    list(&mut page, lacks::of(Kind::Embedded));
    page += "
### As an ordinary user

The same tests are run as an ordinary user: `tests/ordinary-user.sh` makes one, with further ids, for as long as they take.

```console
$ export TEST_ENGINE=rootless
$ cargo test -p tool --test run --test commands --test clients --config \"target.'cfg(unix)'.runner='$PWD/tests/ordinary-user.sh'\"
```

Beside the above this is what such a user's engine does not do:

";
    list(&mut page, lacks::ROOTLESS);
    page += "
## Podman

```console
$ podman system service --time=0 unix:///run/podman/podman.sock &
$ tool -H unix:///run/podman/podman.sock run --rm busybox echo hello
```

One thing is done for Podman alone: it forgets the exit code of a container that was run with `--rm`, so `tool` waits for
the exit first and then for the removal. Without that, every such run would seem to have gone well.

The end-to-end tests of `tool run` pass on Podman 4.3 (`TEST_ENGINE=podman cargo test -p tool --test run`), but for what
Podman itself cannot do:

";
    list(&mut page, lacks::of(Kind::Podman));
    page += "\nPodman's messages have its own words; exit codes are the same.\n";
    assert_page("engines.md", &page);
}

/// Lists what an engine lacks, by tests that there are.
#[track_caller]
fn list(page: &mut String, lacks: impl IntoIterator<Item = &'static lacks::Lack>) {
    for lack in lacks {
        *page += &format!("- {}\n", lack.what);
        for test in lack.tests {
            assert!(exists(test), "there is no test {test}");
        }
    }
}

/// Whether there is a test of this name, `module::test`, of `run`, of the other commands or of Docker's clients.
fn exists(test: &str) -> bool {
    let (module, function) = test.split_once("::").expect("module::test");
    ["run", "commands", "clients"].into_iter().any(|suite| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests")
            .join(suite)
            .join(module)
            .with_extension("rs");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.contains(&format!("\nfn {function}() {{"))
            || text.contains(&format!("\nfunction!({function});\n"))
    })
}

/// Compares a page of the book with what it has to say, and writes it first if that is asked for.
#[track_caller]
fn assert_page(name: &str, expected: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/src")
        .join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, expected).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&page).expect("the page is there");
    assert_eq!(
        found, expected,
        "run `UPDATE_DOCS=1 cargo test -p tool --test docs`"
    );
}
