//! Runs a client against an engine that only records.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use harness::{BrokenEngine, Program, Reply, Request};
use serde_json::Value;

use super::FILES;

/// Docker's client.
#[derive(Debug)]
pub(super) struct Docker {
    pub(super) path: PathBuf,
    pub(super) version: String,
    /// The newest API version that it speaks, which the engine says it speaks too.
    api_version: String,
}

impl Docker {
    /// The major version: 20, 28.
    pub(super) fn major(&self) -> u32 {
        let major = self.version.split('.').next().unwrap_or_default();
        major.parse().unwrap_or(0)
    }

    /// Whether its messages are worded as they are today.
    pub(super) fn has_texts_of_today(&self) -> bool {
        self.major() >= 28
    }
}

/// The major versions whose differences are known. The others, which nobody of us has, would only show theirs.
fn is_known(major: u32) -> bool {
    major == 20 || major >= 28
}

/// Every client that is installed and whose differences are known, each version once.
pub(super) fn installed() -> Vec<Docker> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut clients: Vec<Docker> = Vec::new();
    for directory in std::env::split_paths(&path) {
        let path = directory.join("docker");
        if let Some(docker) = identify(&path)
            && is_known(docker.major())
            && !clients.iter().any(|known| known.version == docker.version)
        {
            clients.push(docker);
        }
    }
    clients
}

fn identify(path: &Path) -> Option<Docker> {
    // Without an engine its own part is printed all the same.
    let output = Command::new(path)
        .args([
            "version",
            "--format",
            "{{.Client.Version}} {{.Client.DefaultAPIVersion}}",
        ])
        .env("DOCKER_HOST", "unix:///nowhere/at-all")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (version, api_version) = text.trim().split_once(' ')?;
    Some(Docker {
        path: path.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
    })
}

/// What a client did with a line.
#[derive(Debug)]
pub(super) enum Asked {
    /// It asked for a container.
    Created(Created),
    /// It asked for none.
    Refused(Refused),
}

/// A request for a container.
#[derive(Debug)]
pub(super) struct Created {
    /// Name and platform.
    pub(super) query: Vec<String>,
    pub(super) body: Value,
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: Option<i32>,
    /// The first line that is not empty, without the client's name.
    pub(super) text: String,
}

/// A client in a directory of its own, with an engine that refuses every container.
pub(super) struct Recorder {
    program: Program,
    taken: Arc<Mutex<Vec<Request>>>,
    _engine: BrokenEngine,
}

impl Recorder {
    pub(super) fn new(program: Program, docker: &Docker) -> Recorder {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (requests, api_version) = (Arc::clone(&taken), docker.api_version.clone());
        let engine = BrokenEngine::start(move |request| {
            requests.lock().expect("no panic").push(request.clone());
            match request.target.as_str() {
                "/_ping" => Reply::ping(&api_version),
                "/info" | "/v1.41/info" => Reply::json(200, "{}"),
                _ => Reply::json(500, r#"{"message":"recorded"}"#),
            }
        });
        let program = program
            .with_env("DOCKER_HOST", engine.host())
            .with_env("FOO", "bar");
        for (name, content) in FILES {
            program.file(name, content);
        }
        Recorder {
            program,
            taken,
            _engine: engine,
        }
    }

    /// Runs a line, and says what was asked.
    pub(super) fn run(&self, words: &[String]) -> Asked {
        self.taken.lock().expect("no panic").clear();
        let words = ["run"].into_iter().chain(words.iter().map(String::as_str));
        let outcome = self.program.run(words);
        let requests = std::mem::take(&mut *self.taken.lock().expect("no panic"));
        let create = requests
            .into_iter()
            .find(|request| request.target.contains("/containers/create"));
        match create {
            Some(request) => Asked::Created(self.created(&request)),
            None => {
                let text = outcome.err();
                let line = text.lines().find(|line| !line.is_empty());
                let line = line.unwrap_or_default().replace("tool", "docker");
                Asked::Refused(Refused {
                    code: outcome.code,
                    text: self.placeless(&line),
                })
            }
        }
    }

    fn created(&self, request: &Request) -> Created {
        let query = request
            .target
            .split_once('?')
            .map_or("", |(_, query)| query);
        let mut query: Vec<String> = query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| part.replace("%2F", "/"))
            .collect();
        query.sort_unstable();
        let text = String::from_utf8_lossy(&request.body);
        let body = serde_json::from_str(&self.placeless(&text)).expect("a body of JSON");
        Created { query, body }
    }

    /// The text without the directory, which is another one for each client.
    fn placeless(&self, text: &str) -> String {
        let directory = self.program.directory().to_string_lossy().into_owned();
        let parent = self.program.directory().parent().unwrap_or(Path::new("/"));
        text.replace(&directory, "/HERE")
            .replace(&format!("{}/", parent.display()), "/ABOVE/")
    }
}
