//! `tool run` against `docker run` on one private engine, in turn, with the requests that each of them makes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, anyhow, ensure};
use harness::{BUSYBOX, Dockerd};

use crate::relay::Relay;
use crate::stats::milliseconds;
use crate::timing::{Subject, in_turn};

/// The command lines that are compared: a name for the table, and what follows `run`.
const CASES: [(&str, &[&str]); 3] = [
    ("run --rm true", &["--rm", BUSYBOX, "true"]),
    (
        "run --rm --network none true",
        &["--rm", "--network", "none", BUSYBOX, "true"],
    ),
    (
        "run --rm --network host true",
        &["--rm", "--network", "host", BUSYBOX, "true"],
    ),
];

/// Starts an engine, times both clients in turn and prints times, ratio and requests.
pub(crate) fn bench(root: &Path, rounds: usize) -> anyhow::Result<()> {
    let tool = crate::tool::build(root)?;
    let docker = Command::new("docker")
        .arg("--version")
        .output()
        .context("the docker CLI is not installed")?;
    ensure!(
        docker.status.success(),
        "`docker --version` ended with {}",
        docker.status
    );
    let engine = Dockerd::start().map_err(|error| anyhow!("this benchmark needs {error}"))?;
    let relay = Relay::start(engine.socket().with_extension("relay"), &engine.socket())?;
    println!(
        "tool against {}",
        String::from_utf8_lossy(&docker.stdout).trim()
    );
    println!("\n| command | tool min / median ms | docker min / median ms | tool to docker |");
    println!("| --- | ---: | ---: | ---: |");
    for (name, words) in CASES {
        let subjects = clients(&tool, &engine.host(), words);
        let times = in_turn(&subjects, rounds)?;
        let [ours, theirs] = times.as_slice() else {
            unreachable!("two subjects give two series")
        };
        println!(
            "| {name} | {} / {} | {} / {} | {:.2} |",
            milliseconds(ours.minimum()),
            milliseconds(ours.median()),
            milliseconds(theirs.minimum()),
            milliseconds(theirs.median()),
            ours.ratio_to(theirs),
        );
    }
    for subject in clients(&tool, &relay.address(), CASES[0].1) {
        relay.take();
        let status = subject
            .command()
            .status()
            .with_context(|| format!("cannot start {}", subject.name))?;
        ensure!(status.success(), "{} ended with {status}", subject.name);
        let traffic = relay.take();
        println!(
            "\n{}: {} requests on {} connections",
            subject.name,
            traffic.requests.len(),
            traffic.connections
        );
        for request in traffic.requests {
            println!("    {request}");
        }
    }
    Ok(())
}

/// The same command line for both clients, against the same engine.
fn clients(tool: &Path, host: &str, words: &[&str]) -> [Subject; 2] {
    [Subject::new("tool", tool), Subject::new("docker", "docker")].map(|client| {
        client
            .env("DOCKER_HOST", host)
            .args(["run"])
            .args(words.iter().copied())
    })
}
