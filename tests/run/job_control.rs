//! Job control: a shell lends its terminal to one job at a time.

use std::time::Duration;

use harness::{Engine, Modes, Program, Pty, Running};

use crate::{engine, until, until_running};

/// An interactive shell on a terminal. It starts jobs that tell their process IDs.
fn shell(engine: &Engine, pty: &Pty) -> Running {
    let shell = Program::new("/bin/sh")
        .with_env("TOOL", env!("CARGO_BIN_EXE_tool"))
        .with_env("DOCKER_HOST", engine.host())
        .with_env("PS1", "prompt> ");
    let running = shell.start_on(pty, ["-i"]);
    pty.wait_for("prompt> ");
    running
}

/// A job of that shell: a container that reads all that is typed.
fn job(name: &str) -> String {
    let script = format!(
        r#"echo "pid=$$;"; exec "$TOOL" run --rm -it --name {name} busybox cat >/dev/null"#
    );
    format!("sh -c '{script}'")
}

/// The job's process ID, once it has told it.
fn pid_of_job(pty: &Pty) -> String {
    until(|| {
        let text = pty.text();
        // The shell shows the line as it is typed as well, where there is no number.
        text.split("pid=").skip(1).find_map(|part| {
            let (pid, _) = part.split_once(';')?;
            pid.parse::<u32>().is_ok().then(|| pid.to_owned())
        })
    })
}

/// The fields of `/proc/PID/stat` behind the program's name; the first is the state.
fn stat(pid: &str) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    fields.split_whitespace().map(str::to_owned).collect()
}

fn until_state(pid: &str, state: &str) {
    until(|| (stat(pid).first().map(String::as_str) == Some(state)).then_some(()));
}

/// Waits for its end. The shell may take notice of it later.
fn until_ended(pid: &str) {
    until(|| matches!(stat(pid).first().map(String::as_str), None | Some("Z")).then_some(()));
}

/// Ticks of the processor that a process has taken.
fn ticks(pid: &str) -> u64 {
    let number = |at: usize| stat(pid)[at].parse::<u64>().expect("a number");
    number(11) + number(12)
}

fn stop(pid: &str) {
    let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a process ID"), harness::Signal::STOP)
        .expect("it runs");
}

#[test]
fn in_the_background_it_neither_spins_nor_reads_and_the_terminal_is_restored() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let _shell = shell(engine, &pty);
    let before = pty.modes();
    pty.write(job("background") + "\r");
    let pid = pid_of_job(&pty);
    until_running(engine, "background");
    pty.wait_for_modes(Modes::is_raw);

    // The shell gets its terminal back, and goes on with the job in the background.
    stop(&pid);
    until_state(&pid, "T");
    // The terminal is raw still, where a line ends with a line feed.
    pty.write("bg\n");
    until(|| (stat(&pid)[0] != "T").then_some(()));
    let start = ticks(&pid);
    pty.write("echo for the she''ll\n");
    pty.wait_for("for the shell");
    std::thread::sleep(Duration::from_secs(1));
    let taken = ticks(&pid) - start;
    assert!(taken < 30, "{taken} ticks for doing nothing");

    engine.remove("background");
    until_ended(&pid);
    assert_eq!(pty.modes(), before);
}

#[test]
fn started_in_the_background_it_stops_until_it_gets_the_terminal() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let _shell = shell(engine, &pty);
    let before = pty.modes();
    pty.write(job("stopped") + " &\r");
    let pid = pid_of_job(&pty);
    until_state(&pid, "T");
    assert_eq!(pty.modes(), before);
    pty.write("fg\r");
    until_running(engine, "stopped");
    pty.wait_for_modes(Modes::is_raw);
    // The end of the input, which is the container's now.
    pty.write("\x04");
    until_ended(&pid);
    until(|| (pty.modes() == before).then_some(()));
}
