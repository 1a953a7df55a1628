//! What an engine says cannot steer the terminal of whoever reads it, in whatever command.

use harness::{BrokenEngine, Program, Pty, Reply};

use crate::tool;

/// Clears the screen, sets the title, begins a sequence in two ways, and shows what follows from right to left.
const EVIL: &str = "x\\u001b[2J\\u001b]0;t\\u0007\\u009b1m\\u007f\\u202ey";
/// What is left of that.
const HARMLESS: &str = "x[2J]0;t1my";
/// What a terminal must not see, whoever wrote it. A terminal's own line ends have a carriage return.
const STEERING: [char; 6] = ['\x1b', '\x07', '\u{9b}', '\x7f', '\u{202e}', '\u{90}'];

/// An engine that says such a text wherever it says anything.
fn engine() -> BrokenEngine {
    BrokenEngine::start(|request| {
        let path = request.target.split('?').next().unwrap_or_default();
        let path = path.trim_start_matches("/v1.41");
        let body = |body: &str| Reply::json(200, &body.replace("EVIL", EVIL));
        match (request.method.as_str(), path) {
            (_, "/_ping") => Reply::ping("1.41"),
            ("GET", "/containers/json") => body(
                r#"[{"Id":"EVIL","Names":["/EVIL"],"Image":"EVIL","ImageID":"EVIL","Command":"EVIL",
                "Created":1,"State":"running","Status":"EVIL","Ports":[],"Labels":{"EVIL":"EVIL"},"Mounts":[]}]"#,
            ),
            ("GET", "/images/json") => body(
                r#"[{"Id":"EVIL","RepoTags":["EVIL:EVIL"],"RepoDigests":[],"Created":1,"Size":1,
                "ParentId":"","SharedSize":-1,"Labels":{},"Containers":-1}]"#,
            ),
            ("GET", "/volumes") => body(
                r#"{"Volumes":[{"Name":"EVIL","Driver":"EVIL","Mountpoint":"EVIL","Labels":{},"Options":{},
                "Scope":"local"}],"Warnings":["EVIL"]}"#,
            ),
            ("GET", "/info") => {
                body(r#"{"Name":"EVIL","ServerVersion":"EVIL","Warnings":["EVIL"]}"#)
            }
            ("GET", "/version") => body(r#"{"Version":"EVIL","ApiVersion":"1.41","Os":"EVIL"}"#),
            ("POST", "/volumes/create") => body(
                r#"{"Name":"EVIL","Driver":"local","Mountpoint":"","Labels":{},"Options":{},"Scope":"local"}"#,
            ),
            ("GET", "/containers/good/json") => body(r#"{"Id":"good","Name":"EVIL"}"#),
            ("DELETE", "/images/good") => body(r#"[{"Untagged":"EVIL"},{"Deleted":"EVIL"}]"#),
            ("POST", "/images/load") => body(r#"{"stream":"EVIL\n"}"#),
            _ => Reply::json(409, &format!(r#"{{"message":"{EVIL}"}}"#)),
        }
    })
}

/// Each command of which an engine's words are a part, and whether it fails.
const COMMANDS: [&[&str]; 24] = [
    &["ps"],
    &[
        "ps",
        "--no-trunc",
        "--format",
        "table {{.Names}} {{.Labels}}",
    ],
    &["ps", "-q"],
    &["ps", "--format", "{{.Names}} {{json .Labels}}"],
    &["ps", "--format", "json"],
    &["images"],
    &["images", "--format", "{{.Repository}}"],
    &["volume", "ls"],
    &["volume", "ls", "-q"],
    &["volume", "create"],
    &["info"],
    &["info", "--format", "{{.Name}}"],
    &["version"],
    &["version", "--format", "json"],
    &["inspect", "--type", "container", "good"],
    &["inspect", "--type", "container", "-f", "{{.Name}}", "good"],
    &["container", "inspect", "bad"],
    &["rmi", "good"],
    &["run", "x"],
    &["rm", "bad", "\x1b[2J"],
    &["stop", "bad"],
    &["start", "bad"],
    &["pull", "bad"],
    &["-D", "exec", "bad", "x"],
];

fn program(engine: &BrokenEngine) -> Program {
    tool().with_env("DOCKER_HOST", engine.host())
}

#[test]
fn no_command_passes_them_to_a_terminal() {
    let engine = engine();
    for words in COMMANDS {
        let pty = Pty::open(24, 200);
        program(&engine).start_on(&pty, words).finish();
        // What has come to the terminal is read by a thread of its own.
        let shown = pty.wait_for("[2J");
        assert!(!shown.contains(STEERING), "{words:?}: {shown:?}");
    }
}

#[test]
fn errors_and_tables_have_none_in_a_file_either() {
    let engine = engine();
    let outcome = program(&engine).run(["run", "x"]);
    let expected = format!("Error response from daemon: {HARMLESS}\n");
    outcome.assert_err_contains(125, "", &expected);
    for words in [
        &["ps"][..],
        &["images"],
        &["volume", "ls"],
        &["info"],
        &["version"],
    ] {
        let outcome = program(&engine).run(words);
        let text = outcome.out() + &outcome.err();
        assert!(!text.contains(STEERING), "{words:?}: {text:?}");
        assert!(text.contains("[2J"), "{words:?}: {text:?}");
    }
}

/// As by Docker's client: a script asks for exactly what there is.
#[test]
fn a_program_that_reads_a_template_gets_every_byte() {
    let engine = engine();
    let raw: String = serde_json::from_str(&format!("\"{EVIL}\"")).expect("a text");
    for words in [
        &["ps", "--format", "{{.Names}}"][..],
        &["volume", "ls", "-q"],
        &["volume", "create"],
        &["inspect", "--type", "container", "-f", "{{.Name}}", "good"],
    ] {
        let outcome = program(&engine).run(words);
        assert_eq!(outcome.out(), format!("{raw}\n"), "{words:?}");
    }
}
