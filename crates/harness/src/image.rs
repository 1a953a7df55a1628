//! Builds images from Debian's static busybox, so that no test needs a network.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// The image that every [`Engine`](crate::Engine) has: busybox with a link for each of its programs.
pub const BUSYBOX: &str = "busybox:latest";

/// What [`find_busybox`] did not find.
pub(crate) const NEEDED: &str = "a static busybox (Debian: busybox-static)";

/// The machine's busybox, if it needs no libraries, which these images have none of.
pub(crate) fn find_busybox() -> Option<PathBuf> {
    let program = crate::find_program("busybox")?;
    let mut head = [0; 4096];
    let count = File::open(&program)
        .and_then(|mut file| file.read(&mut head))
        .ok()?;
    // The loader's path, which only a program with libraries has, stands right behind the program's headers.
    let is_dynamic = head[..count].windows(4).any(|window| window == b"/ld-");
    (!is_dynamic).then_some(program)
}

/// The files of an image's one layer.
#[derive(Clone, Debug)]
pub struct Image {
    busybox: bool,
    files: Vec<(String, u32, Vec<u8>)>,
    links: Vec<(String, String)>,
}

impl Image {
    /// Busybox with its links, `/tmp`, and users `root` (0) and `nobody` (65534).
    pub fn busybox() -> Image {
        Image {
            busybox: true,
            files: Vec::new(),
            links: Vec::new(),
        }
    }

    /// A root file system without a single program.
    pub fn bare() -> Image {
        Image {
            busybox: false,
            files: Vec::new(),
            links: Vec::new(),
        }
    }

    /// The same with one more file, or with another one in the place of `etc/passwd` or `etc/group`.
    #[must_use]
    pub fn with_file(mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) -> Image {
        self.files.push((path.to_owned(), mode, content.into()));
        self
    }

    /// The same with one more symbolic link, in the place of whatever is there.
    #[must_use]
    pub fn with_link(mut self, path: &str, target: &str) -> Image {
        self.links.push((path.to_owned(), target.to_owned()));
        self
    }

    /// The image as an archive of the kind that `docker save` writes and `load` reads, under this name.
    ///
    /// # Panics
    /// As [`Engine::import`](crate::Engine::import) does without a busybox.
    pub fn archive(&self, reference: &str) -> Vec<u8> {
        let layer = self.tar();
        let config = config(&platform(), std::slice::from_ref(&layer)).to_string();
        let config_name = format!("{}.json", hex(config.as_bytes()));
        let manifest = json!([{
            "Config": config_name,
            "RepoTags": [reference],
            "Layers": ["layer/layer.tar"],
        }]);
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "layer/", EntryType::Directory, 0o755, &[]);
        add_file(&mut builder, "layer/layer.tar", 0o644, &layer);
        add_file(&mut builder, &config_name, 0o644, config.as_bytes());
        add_file(
            &mut builder,
            "manifest.json",
            0o644,
            manifest.to_string().as_bytes(),
        );
        builder.into_inner().expect("memory takes an archive's end")
    }

    /// The layer as an archive.
    ///
    /// # Panics
    /// If it shall have busybox and this machine has no static one (Debian: busybox-static).
    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        // Some unpackers do not put up with what is replaced within one layer.
        let is_there = |path: &str| {
            !self.links.iter().any(|(link, _)| {
                let (link, path) = (link.trim_start_matches('/'), path.trim_start_matches('/'));
                path.strip_prefix(link)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        for (path, mode) in [
            ("bin/", 0o755),
            ("etc/", 0o755),
            ("root/", 0o700),
            ("tmp/", 0o1777),
        ] {
            if is_there(path) {
                add(&mut builder, path, EntryType::Directory, mode, &[]);
            }
        }
        for (path, content) in [
            (
                "etc/passwd",
                &b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"[..],
            ),
            ("etc/group", b"root:x:0:\nnogroup:x:65534:\n"),
        ] {
            let is_replaced = self.files.iter().any(|(file, _, _)| file == path);
            if is_there(path) && !is_replaced {
                add_file(&mut builder, path, 0o644, content);
            }
        }
        if self.busybox {
            add_busybox(&mut builder);
        }
        for (path, mode, content) in &self.files {
            if is_there(path) {
                add_file(&mut builder, path, *mode, content);
            }
        }
        for (path, target) in &self.links {
            add_link(&mut builder, path, target);
        }
        builder.into_inner().expect("memory takes an archive's end")
    }
}

/// This machine's platform, as images and indexes have it.
pub(crate) fn platform() -> Value {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({"os": "linux", "architecture": architecture})
}

/// The configuration of an image for that platform that has these layers, the lowest first.
pub(crate) fn config(platform: &Value, layers: &[Vec<u8>]) -> Value {
    let created = "2024-01-01T00:00:00Z";
    let mut config = platform.clone();
    config["created"] = created.into();
    config["config"] = json!({});
    let diff_ids: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
    let step = json!({"created": created, "created_by": "a test"});
    config["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
    config["history"] = vec![step; layers.len()].into();
    config
}

/// The digest of these bytes, as registries and configurations write it.
pub(crate) fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex(content))
}

fn hex(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn add_busybox(builder: &mut Builder<Vec<u8>>) {
    let program = find_busybox().expect(NEEDED);
    let listed = Command::new(&program)
        .arg("--list")
        .output()
        .expect("busybox runs");
    add_file(
        builder,
        "bin/busybox",
        0o755,
        &std::fs::read(&program).expect("busybox can be read"),
    );
    for applet in String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter(|applet| *applet != "busybox")
    {
        add_link(builder, &format!("bin/{applet}"), "busybox");
    }
}

fn add_link(builder: &mut Builder<Vec<u8>>, path: &str, target: &str) {
    let mut header = header(EntryType::Symlink, 0o777, 0);
    builder
        .append_link(&mut header, path.trim_start_matches('/'), target)
        .expect("memory takes a link");
}

fn add_file(builder: &mut Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) {
    add(builder, path, EntryType::Regular, mode, content);
}

fn add(builder: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, content: &[u8]) {
    let mut header = header(kind, mode, content.len() as u64);
    builder
        .append_data(&mut header, path.trim_start_matches('/'), content)
        .expect("memory takes a file");
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

#[cfg(test)]
mod tests {
    use super::{Image, digest};

    #[test]
    fn a_digest_is_named_by_its_kind() {
        assert_eq!(
            digest(b""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn an_added_file_is_read_back() {
        let image = Image::bare()
            .with_file("/data", 0o600, *b"first\0\0")
            .with_file("/more", 0o600, "");
        let tar = image.tar();
        let mut archive = tar::Archive::new(tar.as_slice());
        let paths: Vec<String> = archive
            .entries()
            .expect("an archive")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .path()
                    .expect("a path")
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        assert_eq!(
            paths,
            [
                "bin/",
                "etc/",
                "root/",
                "tmp/",
                "etc/passwd",
                "etc/group",
                "data",
                "more"
            ]
        );
    }
}
