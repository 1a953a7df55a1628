//! `tool run` against `docker run` on one private engine, in turn, with the requests that each of them makes, the time
//! that is theirs and not the engine's, and the memory that they take.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, ensure};
use harness::{BUSYBOX, Engine, Image, Registry};

use crate::instant::{Instantaneous, Sequence};
use crate::memory;
use crate::relay::Relay;
use crate::stats::{Series, milliseconds};
use crate::timing::{Subject, in_turn, in_turn_after};

/// The options, image and command that are compared, without data.
const CASES: [(&str, &[&str]); 4] = [
    ("run --rm true", &["--rm", BUSYBOX, "true"]),
    (
        "run --rm --network none true",
        &["--rm", "--network", "none", BUSYBOX, "true"],
    ),
    (
        "run --rm --network host true",
        &["--rm", "--network", "host", BUSYBOX, "true"],
    ),
    ("run -d --rm true", &["-d", "--rm", BUSYBOX, "true"]),
];

/// With 64 MiB that pass: through the container and back, and out of it.
const MEBIBYTE: usize = 1 << 20;
const PASSED: usize = 64 * MEBIBYTE;
const THROUGH: [&str; 4] = ["--rm", "-i", BUSYBOX, "cat"];
const OUT: [&str; 6] = ["--rm", BUSYBOX, "head", "-c", "67108864", "/dev/zero"];
/// The image that is pulled.
const PULLED: usize = 100 * MEBIBYTE;
/// Runs with data take seconds, so there are fewer of them.
const DATA_SHARE: usize = 3;

/// Starts an engine, times both clients in turn and prints times, ratio, own time, memory and requests.
pub(crate) fn bench(root: &Path, rounds: usize) -> anyhow::Result<()> {
    let tool = crate::tool::build(root, "tool", "tool")?;
    let docker = Command::new("docker")
        .arg("--version")
        .output()
        .context("the docker CLI is not installed")?;
    ensure!(
        docker.status.success(),
        "`docker --version` ended with {}",
        docker.status
    );
    let engine = Engine::dockerd().map_err(|error| anyhow!("this benchmark needs {error}"))?;
    let bench = Bench {
        tool,
        host: engine.host(),
        directory: engine.socket().with_file_name("bench"),
    };
    std::fs::create_dir(&bench.directory).context("no directory for the benchmark's files")?;
    println!(
        "tool against {}",
        String::from_utf8_lossy(&docker.stdout).trim()
    );
    bench.whole(&engine, rounds)?;
    bench.own(rounds * 5)?;
    bench.requests(&engine)
}

/// The clients and where they find things.
struct Bench {
    tool: PathBuf,
    host: String,
    directory: PathBuf,
}

impl Bench {
    /// The same command line for both clients, against the same engine.
    fn clients(&self, host: &str, words: &[&str]) -> [Subject; 2] {
        [
            Subject::new("tool", &self.tool),
            Subject::new("docker", "docker"),
        ]
        .map(|client| {
            client
                .env("DOCKER_HOST", host)
                .args(["run"])
                .args(words.iter().copied())
        })
    }

    /// Whole runs on a real engine, with the memory that the clients take at most.
    fn whole(&self, engine: &Engine, rounds: usize) -> anyhow::Result<()> {
        println!(
            "\n| command | tool min / median ms | docker min / median ms | tool to docker | tool peak MiB | docker peak MiB |"
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: |");
        for (name, words) in CASES {
            let subjects = self.clients(&self.host, words);
            row(name, &subjects, &in_turn(&subjects, rounds)?, || Ok(()))?;
        }
        let few = (rounds / DATA_SHARE).max(1);
        let data = self.directory.join("data");
        std::fs::write(&data, noise(PASSED)).context("cannot write the data to pass")?;
        let subjects = self
            .clients(&self.host, &THROUGH)
            .map(|client| client.input(&data));
        let times = in_turn(&subjects, few)?;
        row("run -i --rm cat, 64 MiB", &subjects, &times, || Ok(()))?;
        let subjects = self.clients(&self.host, &OUT);
        let times = in_turn(&subjects, few)?;
        row("run --rm head, 64 MiB", &subjects, &times, || Ok(()))?;
        self.pull(engine, few)
    }

    /// Runs that have to pull their image first.
    fn pull(&self, engine: &Engine, rounds: usize) -> anyhow::Result<()> {
        let registry =
            Registry::start().map_err(|missing| anyhow!("this benchmark needs {missing}"))?;
        let image = Image::busybox().with_file("data", 0o644, noise(PULLED));
        let reference = registry.push(&image, "large:1");
        let words = ["--rm", "-q", reference.as_str(), "true"];
        let subjects = self.clients(&self.host, &words);
        let forget = || {
            let answer = engine.api().delete(&format!("/images/{reference}?force=1"));
            ensure!(
                matches!(answer.status, 200 | 404),
                "the image cannot be removed: {}",
                answer.text()
            );
            Ok(())
        };
        let times = in_turn_after(&subjects, rounds, forget)?;
        row("run --rm true, 100 MiB pulled", &subjects, &times, forget)
    }

    /// What each client takes by itself: on an engine that takes no time, less what the requests take however they
    /// are made.
    fn own(&self, rounds: usize) -> anyhow::Result<()> {
        let engine = Instantaneous::start(self.directory.join("instant"))?;
        println!(
            "\n| on an engine that takes no time | tool median ms | docker median ms | tool to docker |"
        );
        println!("| --- | ---: | ---: | ---: |");
        for ((name, words), sequence) in [
            (CASES[0], Sequence::Attached),
            (CASES[3], Sequence::Detached),
        ] {
            let subjects = self.clients(&engine.address(), words);
            let mut bare = Series::default();
            let times = in_turn_after(&subjects, rounds, || {
                bare.push(engine.bare_sequence(sequence)?);
                Ok(())
            })?;
            let own: Vec<f64> = times
                .iter()
                .map(|series| {
                    let own = series.median().saturating_sub(bare.median());
                    own.as_secs_f64() * 1000.0
                })
                .collect();
            let [ours, theirs] = own.as_slice() else {
                unreachable!("two subjects give two series")
            };
            println!(
                "| {name}, less {} of the bare sequence | {ours:.2} | {theirs:.2} | {:.3} |",
                milliseconds(bare.median()),
                ours / theirs
            );
        }
        Ok(())
    }

    /// The requests that each client makes.
    fn requests(&self, engine: &Engine) -> anyhow::Result<()> {
        let relay = Relay::start(self.directory.join("relay"), &engine.socket())?;
        for subject in self.clients(&relay.address(), CASES[0].1) {
            relay.take();
            let status = subject
                .command()?
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
}

/// Prints the row of a case, after one more run of each client whose memory is looked at.
fn row(
    name: &str,
    subjects: &[Subject; 2],
    times: &[Series],
    mut before: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let [ours, theirs] = times else {
        unreachable!("two subjects give two series")
    };
    let mut peaks = Vec::new();
    for subject in subjects {
        before()?;
        let mut child = subject
            .command()?
            .spawn()
            .with_context(|| format!("cannot start {}", subject.name))?;
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        let peak = memory::peak(&mut child, &subject.name)? as f64 / MEBIBYTE as f64;
        peaks.push(format!("{peak:.1}"));
    }
    println!(
        "| {name} | {} / {} | {} / {} | {:.2} | {} |",
        milliseconds(ours.minimum()),
        milliseconds(ours.median()),
        milliseconds(theirs.minimum()),
        milliseconds(theirs.median()),
        ours.ratio_to(theirs),
        peaks.join(" | "),
    );
    Ok(())
}

/// Bytes that no compression makes fewer, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // Xorshift, after Marsaglia.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
