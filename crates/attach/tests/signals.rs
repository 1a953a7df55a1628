//! Signals to a real process. There is no test harness: this program starts itself as the process that is signalled,
//! with the name of a scenario as its argument.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use attach::{Events, Signals};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [scenario, name] = &arguments[..]
        && scenario == "--scenario"
    {
        return play(name);
    }
    harness::default_signals();
    let tests: &[(&str, fn())] = &[
        (
            "signals_are_forwarded_by_name",
            signals_are_forwarded_by_name,
        ),
        (
            "the_third_request_to_leave_ends_it",
            the_third_request_to_leave_ends_it,
        ),
        (
            "an_engine_that_hangs_does_not_keep_us",
            an_engine_that_hangs_does_not_keep_us,
        ),
        (
            "unforwarded_only_two_are_swallowed",
            unforwarded_only_two_are_swallowed,
        ),
        (
            "afterwards_signals_kill_again",
            afterwards_signals_kill_again,
        ),
        (
            "what_was_ignored_stays_ignored",
            what_was_ignored_stays_ignored,
        ),
    ];
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in tests {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    for (name, test) in tests {
        if filters.is_empty() || filters.iter().any(|filter| name.contains(&**filter)) {
            test();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

/// What the signalled process does.
fn play(scenario: &str) -> ExitCode {
    let mut events = Events::new().expect("a descriptor");
    let print = |name: &str| {
        println!("{name}");
        Ok(())
    };
    let hang = |_: &str| loop {
        thread::park();
    };
    let signals = match scenario {
        "forward" => Signals::forward(&events.sender(), print),
        "hang" => Signals::forward(&events.sender(), hang),
        "swallow" => Signals::swallow(&events.sender()),
        "leave" => Signals::leave(&events.sender()),
        "after" => {
            // Sessions one after the other, and one beside another.
            drop(Signals::forward(&events.sender(), print).expect("catch"));
            let outer = Signals::forward(&events.sender(), print).expect("catch");
            drop(Signals::swallow(&events.sender()).expect("catch"));
            drop(outer);
            println!("ready");
            thread::sleep(Duration::from_secs(60));
            return ExitCode::SUCCESS;
        }
        _ => unreachable!("a scenario of this file"),
    };
    let _signals = signals.expect("catch");
    println!("ready");
    if events.status().is_none() {
        println!("forced");
    }
    ExitCode::FAILURE
}

/// A process that plays a scenario, and what it prints.
struct Player {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Player {
    fn new(scenario: &str) -> Player {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(["--scenario", scenario]);
        Player::from_command(command)
    }

    /// Started by a shell that ignores these signals, as nohup and the background of a script do.
    fn ignoring(signals: &str, scenario: &str) -> Player {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new("/bin/sh");
        command
            .arg0("sh")
            .args(["-c", "trap '' $2; exec \"$0\" --scenario \"$1\""])
            .arg(program)
            .args([scenario, signals]);
        Player::from_command(command)
    }

    fn from_command(mut command: Command) -> Player {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("start");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut player = Player { child, out };
        assert_eq!(player.line(), "ready");
        player
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("read");
        line.trim_end().to_owned()
    }

    /// Sends a signal by number, which names the real-time ones too.
    fn signal(&self, number: i32) {
        let kill = format!("kill -{number} {}", self.child.id());
        let status = Command::new("/bin/sh").args(["-c", &kill]).status();
        assert!(status.expect("start a shell").success());
    }

    fn is_running(&mut self) -> bool {
        thread::sleep(Duration::from_millis(100));
        self.child.try_wait().expect("look").is_none()
    }

    fn end(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        while self.child.try_wait().expect("look").is_none() {
            if start.elapsed() > Duration::from_secs(10) {
                let _ = self.child.kill();
                panic!("it runs on");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("read");
        (self.child.wait().expect("wait"), rest)
    }
}

const HUP: i32 = 1;
const INT: i32 = 2;
const QUIT: i32 = 3;
const KILL: i32 = 9;
const TERM: i32 = 15;

fn signals_are_forwarded_by_name() {
    let mut player = Player::new("forward");
    for (number, name) in [
        (HUP, "HUP"),
        (INT, "INT"),
        (3, "QUIT"),
        (6, "ABRT"),
        (10, "USR1"),
        (18, "CONT"),
        (20, "TSTP"),
        (21, "TTIN"),
        (22, "TTOU"),
        (28, "WINCH"),
        (30, "PWR"),
        (35, "RTMIN+1"),
        (64, "RTMAX"),
        (TERM, "TERM"),
    ] {
        player.signal(number);
        assert_eq!(player.line(), name);
    }
    // Our own children, sockets and pipes are nobody else's business.
    for number in [13, 17, 23] {
        player.signal(number);
    }
    player.signal(12);
    assert_eq!(player.line(), "USR2");
    player.signal(KILL);
    assert_eq!(player.end().0.signal(), Some(KILL));
}

fn the_third_request_to_leave_ends_it() {
    let mut player = Player::new("forward");
    for (number, name) in [(INT, "INT"), (TERM, "TERM")] {
        player.signal(number);
        assert_eq!(player.line(), name);
    }
    assert!(player.is_running());
    player.signal(INT);
    let (status, text) = player.end();
    assert_eq!(status.code(), Some(1));
    assert!(text.contains("forced\n"), "{text}");
}

fn an_engine_that_hangs_does_not_keep_us() {
    let mut player = Player::new("hang");
    // More than may wait for it; the rest is dropped.
    for _ in 0..150 {
        player.signal(10);
    }
    // A signal that comes before the last of its kind was seen is one with it, so a person's pace is kept.
    for _ in 0..3 {
        assert!(player.is_running());
        player.signal(INT);
    }
    assert_eq!(player.end().0.code(), Some(1));
}

fn unforwarded_only_two_are_swallowed() {
    let mut player = Player::new("swallow");
    player.signal(INT);
    player.signal(TERM);
    assert!(player.is_running());
    player.signal(HUP);
    assert_eq!(player.end().0.signal(), Some(HUP));

    let mut player = Player::new("swallow");
    for _ in 0..3 {
        assert!(player.is_running());
        player.signal(TERM);
    }
    assert_eq!(player.end().0.code(), Some(1));
}

fn afterwards_signals_kill_again() {
    for number in [HUP, INT, TERM, 10] {
        let player = Player::new("after");
        player.signal(number);
        assert_eq!(player.end().0.signal(), Some(number));
    }
}

fn what_was_ignored_stays_ignored() {
    let mut player = Player::ignoring("HUP INT QUIT", "forward");
    for number in [HUP, INT, QUIT, INT, INT] {
        player.signal(number);
    }
    // The others are forwarded, and none of those was before them.
    player.signal(10);
    assert_eq!(player.line(), "USR1");
    player.signal(TERM);
    assert_eq!(player.line(), "TERM");
    player.signal(KILL);
    player.end();

    let mut player = Player::ignoring("INT", "swallow");
    for _ in 0..3 {
        player.signal(INT);
        assert!(player.is_running());
    }
    player.signal(HUP);
    assert_eq!(player.end().0.signal(), Some(HUP));

    let mut player = Player::ignoring("HUP INT", "leave");
    player.signal(HUP);
    player.signal(INT);
    assert!(player.is_running());
    player.signal(TERM);
    assert_eq!(player.end().0.code(), Some(1));

    let mut player = Player::ignoring("HUP", "after");
    player.signal(HUP);
    assert!(player.is_running());
    player.signal(TERM);
    assert_eq!(player.end().0.signal(), Some(TERM));
}
