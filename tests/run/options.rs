//! Environment, user, directory, entry point, labels, names.

use crate::{engine, tool};

#[test]
fn words_behind_the_image_belong_to_the_command() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "--rm", "busybox", "echo", "--rm", "-d", "--", "x"]);
    outcome.assert(0, "--rm -d -- x\n", "");
    let outcome = tool(engine).run(["run", "--rm", "--", "busybox", "echo", "y"]);
    outcome.assert(0, "y\n", "");
}

#[test]
fn the_environment_is_files_then_options() {
    let engine = engine!();
    let tool = tool(engine).with_env("CLIENT", "from client");
    tool.file("first", "# comment\nA=file 1\nB=file 1\n\nCLIENT\nUNSET\n");
    tool.file("second", "\u{feff}B=\"file 2\" \n");
    let words = [
        "run",
        "--rm",
        "-e",
        "C=option",
        "--env-file",
        "first",
        "--env-file",
        "second",
        "-e",
        "A=a=b",
        "-e",
        "NOWHERE",
        "busybox",
        "sh",
        "-c",
        "echo \"[$A][$B][$C][$CLIENT]\"; env | grep -c -e UNSET -e NOWHERE",
    ];
    let outcome = tool.run(words);
    outcome.assert(1, "[a=b][\"file 2\" ][option][from client]\n0\n", "");
    let outcome = tool.run([
        "run",
        "--rm",
        "-e",
        "CLIENT",
        "busybox",
        "sh",
        "-c",
        "echo $CLIENT",
    ]);
    outcome.assert(0, "from client\n", "");
}

#[test]
fn a_faulty_environment_file_is_named() {
    let engine = engine!();
    let tool = tool(engine);
    tool.file("env", "A=1\nB =2\n");
    let outcome = tool.run(["run", "--env-file", "env", "-l", "faulty_file", "busybox"]);
    let text = "invalid env file (env): variable 'B ' contains whitespaces";
    outcome.assert_err_contains(125, "", text);
    let outcome = tool.run([
        "run",
        "--env-file",
        "/nonexist",
        "-l",
        "faulty_file",
        "busybox",
    ]);
    assert!(
        outcome
            .err()
            .contains("open /nonexist: no such file or directory"),
        "{}",
        outcome.err()
    );
    assert!(engine.containers("faulty_file").is_empty());
}

#[test]
fn directory_user_and_host_name_are_as_asked_for() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "-w",
        "/tmp",
        "-u",
        "nobody",
        "-h",
        "somewhere",
        "busybox",
        "sh",
        "-c",
        "pwd; id -u; hostname",
    ];
    tool(engine)
        .run(words)
        .assert(0, "/tmp\n65534\nsomewhere\n", "");
    let words = [
        "run",
        "--rm",
        "--user=3:4",
        "--hostname",
        "b",
        "busybox",
        "sh",
        "-c",
        "id -u; id -g; hostname",
    ];
    tool(engine).run(words).assert(0, "3\n4\nb\n", "");
}

#[test]
fn the_directory_is_made_in_a_root_that_can_only_be_read() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "--read-only",
        "-w",
        "/made/below",
        "busybox",
        "pwd",
    ];
    tool(engine).run(words).assert(0, "/made/below\n", "");
}

#[test]
fn an_entry_point_goes_before_the_command() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "--rm", "--entrypoint", "echo", "busybox", "a", "b"]);
    outcome.assert(0, "a b\n", "");
    let outcome = tool(engine).run(["run", "--rm", "--entrypoint=", "busybox", "echo", "c"]);
    outcome.assert(0, "c\n", "");
}

#[test]
fn labels_and_name_are_on_the_container() {
    let engine = engine!();
    let words = [
        "run", "-d", "--name", "labelled", "-l", "a=b=c", "--label", "bare", "-l", "a2=",
        "busybox", "true",
    ];
    let outcome = tool(engine).run(words);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    let container = engine.inspect("labelled");
    assert_eq!(container["Config"]["Labels"]["a"], "b=c");
    assert_eq!(container["Config"]["Labels"]["bare"], "");
    assert_eq!(container["Config"]["Labels"]["a2"], "");
    assert_eq!(container["Id"], outcome.out().trim());
}

#[test]
fn a_word_that_is_not_utf8_is_refused_and_creates_nothing() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let engine = engine!();
    let word = OsStr::from_bytes(b"a\xff");
    let words = ["run", "-l", "not_utf8", "busybox", "echo"].map(OsStr::new);
    let outcome = tool(engine).run(words.iter().chain([&word]));
    outcome.assert_err_contains(125, "", "is not valid UTF-8");
    assert!(engine.containers("not_utf8").is_empty());
}

#[test]
fn the_platform_of_the_engine_is_fine_and_another_is_not() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "--platform", "foo/bar/baz/q", "busybox", "true"]);
    assert_eq!(outcome.code, Some(125));
    assert!(
        outcome.err().contains("\"foo/bar/baz/q\""),
        "{}",
        outcome.err()
    );
}
