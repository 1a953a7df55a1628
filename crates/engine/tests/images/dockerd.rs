//! The same image unpacked here and by Docker's engine: the same files, with the same everything.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use engine::image::Digest;
use harness::{Engine, Kind};
use serde_json::json;
use tar::{EntryType, Header};

use crate::fake::{Parts, archive};
use crate::post;
use crate::wire::Fixture;

/// One entry of a layer, as a tar has it.
fn entry(
    tar: &mut Vec<u8>,
    kind: EntryType,
    path: &str,
    link: &str,
    content: &[u8],
    more: impl Fn(&mut Header),
) {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory {
        0o755
    } else {
        0o644
    });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_600_000_000);
    header.set_size(content.len() as u64);
    let old = header.as_old_mut();
    old.name[..path.len()].copy_from_slice(path.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    more(&mut header);
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// An extended attribute for the next entry.
fn attribute(tar: &mut Vec<u8>, name: &str, value: &[u8]) {
    let body = format!(" SCHILY.xattr.{name}=").len() + value.len() + 1;
    let length = (1..)
        .map(|digits| body + digits)
        .find(|length| body + length.to_string().len() == *length);
    let record = [
        format!("{} SCHILY.xattr.{name}=", length.expect("one")).as_bytes(),
        value,
        b"\n",
    ]
    .concat();
    entry(tar, EntryType::XHeader, "pax", "", &record, |_| {});
}

/// A layer with one of everything.
fn lower() -> Vec<u8> {
    let plain = |_: &mut Header| {};
    let mut tar = Vec::new();
    let add = &mut tar;
    entry(add, EntryType::Directory, "etc/", "", &[], plain);
    entry(add, EntryType::Regular, "etc/replaced", "", b"old", plain);
    entry(add, EntryType::Regular, "etc/hidden", "", b"old", plain);
    entry(add, EntryType::Directory, "opaque/", "", &[], plain);
    entry(add, EntryType::Regular, "opaque/below", "", b"old", plain);
    entry(add, EntryType::Directory, "tmp/", "", &[], |header| {
        header.set_mode(0o1777)
    });
    entry(add, EntryType::Directory, "shared/", "", &[], |header| {
        header.set_mode(0o2775);
        header.set_gid(50);
    });
    entry(
        add,
        EntryType::Regular,
        "shared/su",
        "",
        b"program",
        |header| {
            header.set_mode(0o6755);
            header.set_uid(70_000);
            header.set_gid(50);
        },
    );
    entry(
        add,
        EntryType::Link,
        "shared/hard",
        "shared/su",
        &[],
        |header| {
            header.set_mode(0o6755);
            header.set_uid(70_000);
            header.set_gid(50);
        },
    );
    entry(
        add,
        EntryType::Symlink,
        "shared/soft",
        "../etc/replaced",
        &[],
        |header| header.set_uid(9),
    );
    entry(add, EntryType::Symlink, "usr", "shared", &[], plain);
    entry(add, EntryType::Regular, "usr/through", "", b"a link", plain);
    // CAP_NET_RAW, effective and permitted, as setcap writes it.
    attribute(
        add,
        "security.capability",
        &[1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    entry(add, EntryType::Regular, "ping", "", b"ping", |header| {
        header.set_mode(0o755)
    });
    attribute(add, "user.note", b"with a\nline feed");
    entry(add, EntryType::Regular, "noted", "", b"", plain);
    entry(add, EntryType::Fifo, "fifo", "", &[], |header| {
        header.set_mode(0o622)
    });
    for (path, kind, major, minor) in [
        ("null", EntryType::Char, 1, 3),
        ("disk", EntryType::Block, 259, 300),
    ] {
        entry(add, kind, path, "", &[], |header| {
            header.set_mode(0o660);
            header.set_gid(6);
            header.set_device_major(major).expect("a number");
            header.set_device_minor(minor).expect("a number");
        });
    }
    tar.extend_from_slice(&[0; 1024]);
    tar
}

/// A layer upon it, which hides and replaces.
fn upper() -> Vec<u8> {
    let plain = |_: &mut Header| {};
    let mut tar = Vec::new();
    let add = &mut tar;
    entry(add, EntryType::Directory, "etc/", "", &[], |header| {
        header.set_mode(0o750)
    });
    entry(add, EntryType::Regular, "etc/.wh.hidden", "", &[], plain);
    entry(
        add,
        EntryType::Regular,
        "etc/replaced",
        "",
        b"new",
        |header| header.set_mtime(1_650_000_000),
    );
    entry(add, EntryType::Directory, "opaque/", "", &[], plain);
    entry(
        add,
        EntryType::Regular,
        "opaque/.wh..wh..opq",
        "",
        &[],
        plain,
    );
    entry(add, EntryType::Regular, "opaque/new", "", b"new", plain);
    entry(add, EntryType::Regular, "/absolute", "", b"within", plain);
    entry(
        add,
        EntryType::Regular,
        "./dotted/../plain",
        "",
        b"within",
        plain,
    );
    tar.extend_from_slice(&[0; 1024]);
    tar
}

/// What there is to know of one file.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    mode: u32,
    owner: (u32, u32),
    device: u64,
    links: u64,
    modified: (i64, i64),
    content: Vec<u8>,
    attributes: BTreeMap<String, Vec<u8>>,
}

fn seen(path: &Path) -> Seen {
    let found = fs::symlink_metadata(path).expect("it is there");
    let kind = found.file_type();
    let content = if kind.is_symlink() {
        fs::read_link(path)
            .expect("a link")
            .as_os_str()
            .as_bytes()
            .to_vec()
    } else if kind.is_file() {
        fs::read(path).expect("a file")
    } else {
        Vec::new()
    };
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names).expect("a list");
    let attributes = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 4096];
            let length = rustix::fs::lgetxattr(path, name, &mut value).expect("a value");
            (
                String::from_utf8_lossy(name).into_owned(),
                value[..length].to_vec(),
            )
        })
        .collect();
    Seen {
        mode: found.mode(),
        owner: (found.uid(), found.gid()),
        device: found.rdev(),
        // How many links a directory has is the file system's business.
        links: if kind.is_dir() { 0 } else { found.nlink() },
        modified: (found.mtime(), found.mtime_nsec()),
        content,
        attributes,
    }
}

fn tree(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut tree = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).expect("a list") {
            let path = entry.expect("an entry").path();
            if fs::symlink_metadata(&path).expect("it is there").is_dir() {
                pending.push(path.clone());
            }
            tree.insert(
                path.strip_prefix(root).expect("below").to_owned(),
                seen(&path),
            );
        }
    }
    tree
}

/// The directories of an image's layers, the uppermost first.
fn directories(shown: &serde_json::Value) -> Vec<PathBuf> {
    let data = &shown["GraphDriver"]["Data"];
    let (upper, lower) = (data["UpperDir"].as_str(), data["LowerDir"].as_str());
    let lower = lower
        .unwrap_or_default()
        .split(':')
        .filter(|path| !path.is_empty());
    upper.into_iter().chain(lower).map(PathBuf::from).collect()
}

#[test]
fn layers_are_unpacked_as_docker_unpacks_them() {
    const TEST: &str = "layers_are_unpacked_as_docker_unpacks_them";
    if !rustix::process::geteuid().is_root() {
        harness::left_out::<()>(TEST, "root");
        return;
    }
    let docker = match Engine::start(Kind::Dockerd) {
        Ok(docker) => docker,
        Err(missing) => {
            harness::left_out::<()>(TEST, &missing.to_string());
            return;
        }
    };
    let layers = [lower(), upper()];
    let parts = Parts::of(&layers);
    let config = format!("{}.json", Digest::of(&parts.config).hex());
    let list =
        json!([{"Config": config, "RepoTags": ["everything:1"], "Layers": ["1.tar", "2.tar"]}])
            .to_string();
    let saved = archive(&[
        (&config, &parts.config),
        ("1.tar", &layers[0]),
        ("2.tar", &layers[1]),
        ("manifest.json", list.as_bytes()),
    ]);
    let fixture = Fixture::new();
    post(&fixture, "/v1.41/images/load?quiet=1", "", &saved);
    let kind = [("Content-Type", "application/x-tar")];
    let loaded = docker
        .api()
        .request("POST", "/images/load?quiet=1", &kind, &saved)
        .expect("it answers")
        .expect_success();
    assert!(!loaded.text().contains("error"), "{}", loaded.text());
    let ours = fixture.get("/v1.41/images/everything:1/json");
    let theirs = docker
        .api()
        .get("/images/everything:1/json")
        .expect_success()
        .json();
    assert_eq!(ours["Id"], theirs["Id"]);
    assert_eq!(ours["RootFS"], theirs["RootFS"]);
    assert_eq!(ours["Size"], theirs["Size"]);
    if theirs["GraphDriver"]["Name"] != "overlay2" {
        harness::left_out::<()>(TEST, "a file system on which dockerd uses overlay2");
        return;
    }
    let (ours, theirs) = (directories(&ours), directories(&theirs));
    assert_eq!((ours.len(), theirs.len()), (2, 2));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let (mut here, mut there) = (tree(ours), tree(theirs));
        let names = |tree: &BTreeMap<PathBuf, Seen>| tree.keys().cloned().collect::<Vec<_>>();
        // Docker gives marks that hide a file the mode of whatever made them.
        for tree in [&mut here, &mut there] {
            for seen in tree
                .values_mut()
                .filter(|seen| seen.device == 0 && seen.mode & 0o170_000 == 0o020_000)
            {
                seen.mode &= 0o170_000;
                seen.modified = (0, 0);
            }
        }
        assert_eq!(names(&here), names(&there));
        for (path, seen) in &here {
            assert_eq!(Some(seen), there.get(path), "{}", path.display());
        }
        assert_eq!(seen(ours).mode, seen(theirs).mode, "of the root directory");
    }
}
