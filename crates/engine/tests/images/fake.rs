//! A registry that says what a test wants, true or not.

use std::io::Write;
use std::sync::{Arc, Mutex};

use engine::image::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use harness::{BrokenEngine, Forward, Reply, Request};
use serde_json::{Value, json};

pub(crate) const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A server on a loopback port.
pub(crate) struct Fake {
    forward: Forward,
    broken: BrokenEngine,
}

impl Fake {
    /// Answers each request with what the function makes of it.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Fake {
        let broken = BrokenEngine::start(answer);
        let forward = Forward::to(broken.socket());
        Fake { forward, broken }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.forward.host().trim_start_matches("tcp://").to_owned()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.broken.requests()
    }

    /// The targets of all requests that have this in them.
    pub(crate) fn asked(&self, part: &str) -> Vec<String> {
        let targets = self.requests().into_iter().map(|request| request.target);
        targets.filter(|target| target.contains(part)).collect()
    }
}

/// The value of a header of a request.
pub(crate) fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request
        .head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// An answer with a body of some type.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Reply {
    let head = format!(
        "HTTP/1.1 {status} Some Reason\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    Reply::bytes([head.as_bytes(), body].concat())
}

pub(crate) fn not_found() -> Reply {
    let body =
        r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}"#;
    answer(404, "Content-Type: application/json\r\n", body.as_bytes())
}

/// An archive of these files.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_500_000_000);
        builder
            .append_data(&mut header, path, *content)
            .expect("memory");
    }
    builder.into_inner().expect("memory")
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

/// An image, in pieces that a test may change.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) manifest: Value,
}

impl Parts {
    /// An image of these archives.
    pub(crate) fn of(archives: &[Vec<u8>]) -> Parts {
        let config = json!({
            "architecture": match std::env::consts::ARCH { "x86_64" => "amd64", "aarch64" => "arm64", other => other },
            "os": "linux",
            "created": "2024-01-02T03:04:05.5Z",
            "config": {"Cmd": ["/bin/sh"], "Labels": {"l": "v"}},
            "rootfs": {"type": "layers", "diff_ids": archives.iter().map(|archive| Digest::of(archive).to_string()).collect::<Vec<_>>()},
            "history": [{"created_by": "made", "created": "2024-01-02T03:04:05Z"}],
        });
        let config = config.to_string().into_bytes();
        let layers: Vec<Vec<u8>> = archives.iter().map(|archive| gzip(archive)).collect();
        let manifest = manifest(&config, &layers);
        Parts {
            config,
            layers,
            manifest,
        }
    }

    /// What an honest registry answers about it.
    pub(crate) fn reply(&self, request: &Request) -> Reply {
        let target = request.target.as_str();
        if target.contains("/manifests/") {
            let kind = format!("Content-Type: {MANIFEST}\r\n");
            return answer(200, &kind, self.manifest.to_string().as_bytes());
        }
        match self.blob(target) {
            Some(blob) => answer(200, "", blob),
            None => not_found(),
        }
    }

    /// The blob that a target asks for.
    pub(crate) fn blob(&self, target: &str) -> Option<&[u8]> {
        let (_, digest) = target.rsplit_once("/blobs/")?;
        self.layers
            .iter()
            .chain([&self.config])
            .find(|blob| Digest::of(blob).to_string() == digest)
            .map(Vec::as_slice)
    }
}

/// The manifest of these blobs.
pub(crate) fn manifest(config: &[u8], layers: &[Vec<u8>]) -> Value {
    let descriptor = |kind: &str, content: &[u8]| json!({"mediaType": kind, "digest": Digest::of(content).to_string(), "size": content.len()});
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("application/vnd.docker.container.image.v1+json", config),
        "layers": layers
            .iter()
            .map(|layer| descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer))
            .collect::<Vec<_>>(),
    })
}

/// Bytes that do not compress.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

/// A count that closures share.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<Mutex<usize>>);

impl Counter {
    /// How often this was called before.
    pub(crate) fn next(&self) -> usize {
        let mut count = self.0.lock().expect("no holder panics");
        *count += 1;
        *count - 1
    }
}
