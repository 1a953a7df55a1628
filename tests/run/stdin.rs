//! Standard input through `-i`.

use crate::{engine, tool};

/// Bytes without any pattern that a pipe or a frame could have.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(len)
    .collect()
}

#[test]
fn megabytes_go_in_and_come_back_intact() {
    let engine = engine!();
    let bytes = noise(8 << 20);
    let outcome = tool(engine).run_with(["run", "--rm", "-i", "busybox", "cat"], bytes.clone());
    assert_eq!((outcome.code, outcome.err().as_str()), (Some(0), ""));
    assert_eq!(outcome.stdout.len(), bytes.len());
    assert!(outcome.stdout == bytes);
}

#[test]
fn the_end_of_input_is_seen_inside() {
    let engine = engine!();
    let words = ["run", "--rm", "-i", "busybox", "wc", "-c"];
    tool(engine)
        .run_with(words, vec![b'x'; 100_000])
        .assert(0, "100000\n", "");
    tool(engine).run_with(words, "").assert(0, "0\n", "");
}

#[test]
fn input_is_passed_on_as_it_comes() {
    let engine = engine!();
    let mut running = tool(engine).start(["run", "--rm", "-i", "busybox", "cat"]);
    for word in ["one", "two"] {
        running.write(word);
        running.wait_for_out(word);
    }
    running.close_input();
    running.finish().assert(0, "onetwo", "");
}

#[test]
fn without_the_option_nothing_is_read() {
    let engine = engine!();
    let words = ["run", "--rm", "busybox", "cat"];
    tool(engine).run_with(words, "unread").assert(0, "", "");
    // An open input that says nothing is waited for by nobody.
    let running = tool(engine).start(words);
    running.finish().assert(0, "", "");
}

#[test]
fn an_open_input_does_not_outlive_the_container() {
    let engine = engine!();
    let running = tool(engine).start([
        "run",
        "--rm",
        "-i",
        "busybox",
        "sh",
        "-c",
        "echo done; exit 5",
    ]);
    running.finish().assert(5, "done\n", "");
}
