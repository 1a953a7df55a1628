//! The book says what the binary says.

use std::path::Path;
use std::process::Command;

/// The reference of `run` is its help at 80 columns. `UPDATE_DOCS=1 cargo test -p tool --test docs` writes it anew.
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
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/reference-run.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, &expected).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&page).expect("the page is there");
    assert_eq!(
        found, expected,
        "run `UPDATE_DOCS=1 cargo test -p tool --test docs`"
    );
}
