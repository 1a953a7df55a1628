//! What `tool run` asks of an engine is what Docker's own client asks: both are given the same command lines, and the
//! requests that they make are compared, field by field.
//!
//! The lines are in `recording/lines.txt`, as a shell reads them. No engine is needed, for the requests are only
//! written down; every Docker client that is installed is compared with.

mod body;
mod client;
mod difference;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use client::{Asked, Docker, Recorder};
use difference::{Difference, What};
use harness::Program;

const LINES: &str = include_str!("recording/lines.txt");

/// Files that lines name, in the directory where both clients run.
const FILES: [(&str, &str); 3] = [
    ("e9", "# a comment\n\nA=1\n  B= two \nFOO\nNOPE\n"),
    ("e10", "C=3\nA=file\n"),
    (
        "prof.json",
        "{ \"defaultAction\": \"SCMP_ACT_ALLOW\",\n  \"syscalls\": [ ] }\n",
    ),
];

/// How many lines are tried side by side.
const WORKERS: usize = 4;

#[test]
fn the_requests_are_those_of_docker() {
    let clients = client::installed();
    if clients.is_empty() {
        let _: Option<()> = harness::left_out(
            "recording::the_requests_are_those_of_docker",
            "a Docker client (Debian: docker.io)",
        );
        return;
    }
    let lines: Vec<&str> = LINES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    for docker in &clients {
        let comparison = Comparison {
            docker,
            unexplained: Mutex::default(),
            needed: Mutex::default(),
        };
        comparison.run(&lines);
        let unexplained = comparison.unexplained.into_inner().expect("no panic");
        assert!(
            unexplained.is_empty(),
            "{} of {} lines differ from docker {}:\n{}",
            unexplained.len(),
            lines.len(),
            docker.version,
            unexplained.join("\n")
        );
        // A difference that nothing shows would hide the next one.
        let needed = comparison.needed.into_inner().expect("no panic");
        let stale: Vec<&Difference> = difference::ALL
            .iter()
            .enumerate()
            .filter(|(number, known)| known.is_shown_by(docker) && !needed.contains(number))
            .map(|(_, known)| known)
            .collect();
        assert!(
            stale.is_empty(),
            "docker {} shows none of {stale:#?}",
            docker.version
        );
    }
}

/// All lines with one of Docker's clients.
struct Comparison<'a> {
    docker: &'a Docker,
    unexplained: Mutex<Vec<String>>,
    /// The numbers of the differences without which lines would differ.
    needed: Mutex<BTreeSet<usize>>,
}

impl Comparison<'_> {
    fn run(&self, lines: &[&str]) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    let theirs = Recorder::new(Program::new(&self.docker.path), self.docker);
                    let ours = Recorder::new(crate::program(), self.docker);
                    while let Some(line) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let words = shlex::split(line).expect("a line that a shell reads");
                        self.compare(line, &theirs.run(&words), &ours.run(&words));
                    }
                });
            }
        });
    }

    fn compare(&self, line: &str, theirs: &Asked, ours: &Asked) {
        let texts = self.docker.has_texts_of_today();
        let known: Vec<(usize, &Difference)> = difference::ALL
            .iter()
            .enumerate()
            .filter(|(_, known)| known.is_of(line, self.docker))
            .collect();
        if differs(theirs, ours, &[], texts).is_none() {
            return;
        }
        let explaining: Vec<&Difference> = known.iter().map(|(_, known)| *known).collect();
        match differs(theirs, ours, &explaining, texts) {
            Some(text) => {
                let text = format!("  {line}\n    {text}");
                self.unexplained.lock().expect("no panic").push(text);
            }
            None => {
                let numbers = known.iter().map(|(number, _)| *number);
                self.needed.lock().expect("no panic").extend(numbers);
            }
        }
    }
}

/// What differs, if anything does that is not known.
fn differs(theirs: &Asked, ours: &Asked, known: &[&Difference], texts: bool) -> Option<String> {
    let is_known = |what: What| known.iter().any(|difference| difference.what == what);
    match (theirs, ours) {
        (Asked::Created(theirs), Asked::Created(ours)) => {
            let fields = body::differences(theirs, ours, known);
            (!fields.is_empty()).then(|| fields.join("; "))
        }
        _ if is_known(What::Refusal) => None,
        (Asked::Refused(theirs), Asked::Refused(ours)) => {
            let is_same = theirs.text == ours.text || !texts || is_known(What::Text);
            (theirs.code != ours.code || !is_same)
                .then(|| format!("docker: {theirs:?}, tool: {ours:?}"))
        }
        (Asked::Created(_), Asked::Refused(ours)) => {
            Some(format!("docker asks, tool does not: {ours:?}"))
        }
        (Asked::Refused(theirs), Asked::Created(_)) => {
            Some(format!("tool asks, docker does not: {theirs:?}"))
        }
    }
}
