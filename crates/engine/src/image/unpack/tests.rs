//! Archives as they should be, and as nobody should make them.

use std::fs::{self, File};
use std::io::Cursor;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, XattrFlags, getxattr, lgetxattr, setxattr};
use tar::{EntryType, Header};

use super::*;

const OPTIONS: Options = Options {
    rights: Rights::All,
    largest: 1 << 30,
    most: 1000,
};

/// An archive in the making.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn add(
        mut self,
        kind: EntryType,
        path: &str,
        link: &str,
        data: &[u8],
        more: impl Fn(&mut Header),
    ) -> Tar {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(match kind {
            EntryType::Directory => 0o755,
            _ => 0o644,
        });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_500_000_000);
        header.set_size(data.len() as u64);
        // The crate's own ways of setting these refuse what is hostile.
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        more(&mut header);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, path: &str, content: &str) -> Tar {
        self.add(EntryType::Regular, path, "", content.as_bytes(), |_| {})
    }

    fn directory(self, path: &str) -> Tar {
        self.add(EntryType::Directory, path, "", &[], |_| {})
    }

    fn symlink(self, path: &str, target: &str) -> Tar {
        self.add(EntryType::Symlink, path, target, &[], |_| {})
    }

    fn hard_link(self, path: &str, target: &str) -> Tar {
        self.add(EntryType::Link, path, target, &[], |_| {})
    }

    fn extended(self, records: &[(&str, &[u8])]) -> Tar {
        let mut data = Vec::new();
        for (key, value) in records {
            let body = key.len() + value.len() + 3;
            let digits = (1..).find(|digits| (body + digits).to_string().len() == *digits);
            let length = body + digits.expect("a length");
            data.extend_from_slice(format!("{length} {key}=").as_bytes());
            data.extend_from_slice(value);
            data.push(b'\n');
        }
        self.add(EntryType::XHeader, "pax", "", &data, |_| {})
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

/// A layer below a directory that has something to lose.
struct Layer {
    directory: tempfile::TempDir,
    unpacked: Unpacked,
}

impl Layer {
    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join("layer").join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.path(path))
            .expect(path)
            .permissions()
            .mode()
            & 0o7777
    }
}

fn try_unpack(archive: &[u8], options: Options) -> crate::Result<Layer> {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("layer");
    fs::create_dir(&root).expect("a directory");
    fs::write(directory.path().join("secret"), "untouched").expect("a file");
    let opened = File::open(&root).expect("the directory");
    // Small pieces, so that every part of an archive is cut somewhere.
    let reader = std::io::BufReader::with_capacity(700, Cursor::new(archive));
    let unpacked = unpack(reader, opened.as_fd(), options);
    let secret = fs::read_to_string(directory.path().join("secret")).expect("it is there");
    assert_eq!(secret, "untouched");
    assert_eq!(
        fs::read_dir(directory.path()).expect("a list").count(),
        2,
        "something came beside the layer"
    );
    Ok(Layer {
        unpacked: unpacked?,
        directory,
    })
}

fn unpacked(tar: Tar) -> Layer {
    try_unpack(&tar.end(), OPTIONS).expect("it can be unpacked")
}

fn refused(tar: Tar) -> String {
    match try_unpack(&tar.end(), OPTIONS) {
        Ok(_) => panic!("it was unpacked"),
        Err(error) => error.to_string(),
    }
}

fn is_whiteout(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|found| found.file_type().is_char_device() && found.rdev() == 0)
}

fn is_opaque(path: &Path) -> bool {
    let mut value = [0; 8];
    getxattr(path, "trusted.overlay.opaque", &mut value) == Ok(1) && value[0] == b'y'
}

/// Making devices and giving files away takes root, and `trusted` attributes do too.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn files_are_as_the_archive_has_them() {
    if !is_root() {
        return;
    }
    let long = "n".repeat(150);
    let tar = Tar::default()
        .directory("./")
        .add(EntryType::Directory, "bin", "", &[], |header| {
            header.set_mode(0o2711);
            header.set_gid(7);
        })
        .add(EntryType::Regular, "bin/su", "", b"program", |header| {
            header.set_mode(0o6755);
            header.set_uid(70_000);
            header.set_gid(8);
        })
        .symlink("bin/link", "/bin/su")
        .hard_link("bin/second", "bin/su")
        .hard_link("bin/absolute", "/bin/link")
        .add(EntryType::Char, "null", "", &[], |header| {
            header.set_device_major(1).expect("a number");
            header.set_device_minor(3).expect("a number");
            header.set_mode(0o666);
        })
        .add(EntryType::Block, "disk", "", &[], |header| {
            header.set_device_major(259).expect("a number");
            header.set_device_minor(300).expect("a number");
        })
        .add(EntryType::Fifo, "fifo", "", &[], |header| {
            header.set_mode(0o622)
        })
        .add(
            EntryType::GNULongName,
            "././@LongLink",
            "",
            format!("{long}\0").as_bytes(),
            |_| {},
        )
        .file("cut", "long")
        .extended(&[
            ("path", b"\xc3\xa9"),
            ("mtime", b"1600000000.5"),
            ("uid", b"3000000"),
        ])
        .file("ascii", "named by the extended header");
    let layer = unpacked(tar);
    let stat = |path: &str| fs::symlink_metadata(layer.path(path)).expect(path);

    assert_eq!(
        (layer.mode("bin"), stat("bin").gid(), stat("bin").mtime()),
        (0o2711, 7, 1_500_000_000)
    );
    let program = stat("bin/su");
    assert_eq!(
        (layer.mode("bin/su"), program.uid(), program.gid()),
        (0o6755, 70_000, 8)
    );
    assert_eq!(program.mtime(), 1_500_000_000);
    assert_eq!(
        (stat("bin/second").ino(), program.nlink()),
        (program.ino(), 2)
    );
    assert_eq!(
        fs::read_link(layer.path("bin/link")).expect("a link"),
        Path::new("/bin/su")
    );
    assert_eq!(stat("bin/link").mtime(), 1_500_000_000);
    assert_eq!(
        stat("bin/absolute").ino(),
        stat("bin/link").ino(),
        "a hard link to a link is the link"
    );
    assert_eq!(
        (stat("null").rdev(), layer.mode("null")),
        (rustix::fs::makedev(1, 3), 0o666)
    );
    assert!(stat("disk").file_type().is_block_device());
    assert_eq!(stat("disk").rdev(), rustix::fs::makedev(259, 300));
    assert!(stat("fifo").file_type().is_fifo());
    assert_eq!(layer.mode("fifo"), 0o622);
    assert_eq!(layer.read(&long), "long");
    assert_eq!(layer.read("\u{e9}"), "named by the extended header");
    let named = stat("\u{e9}");
    assert_eq!(
        (named.mtime(), named.mtime_nsec(), named.uid()),
        (1_600_000_000, 500_000_000, 3_000_000)
    );
    let sizes = "program/bin/sulongnamed by the extended header".len() as u64;
    assert_eq!(layer.unpacked.size, sizes);
    assert!(layer.unpacked.implied.is_empty());
}

#[test]
fn attributes_are_kept_but_for_overlays_own() {
    if !is_root() {
        return;
    }
    // A capability as setcap writes it: version 2, effective, CAP_NET_RAW.
    let capability = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let tar = Tar::default()
        .extended(&[
            ("SCHILY.xattr.security.capability", &capability),
            ("SCHILY.xattr.user.note", b"a\nb"),
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
        ])
        .add(EntryType::Regular, "ping", "", b"x", |header| {
            header.set_uid(5);
            header.set_mode(0o4755);
        })
        .extended(&[("SCHILY.xattr.trusted.overlay.opaque", b"y")])
        .directory("d")
        .extended(&[("SCHILY.xattr.user.note", b"links have none")])
        .symlink("link", "ping");
    let layer = unpacked(tar);
    let get = |path: &str, name: &str| {
        let mut value = [0; 64];
        lgetxattr(layer.path(path), name, &mut value).map(|length| value[..length].to_vec())
    };
    assert_eq!(
        get("ping", "security.capability").expect("it has them"),
        capability
    );
    assert_eq!(
        layer.mode("ping"),
        0o4755,
        "neither owner nor attributes take the bits away"
    );
    if let Ok(note) = get("ping", "user.note") {
        assert_eq!(note, b"a\nb");
    }
    assert!(get("ping", "trusted.overlay.redirect").is_err());
    assert!(get("ping", "user.overlay.opaque").is_err());
    assert!(!is_opaque(&layer.path("d")));
}

#[test]
fn what_a_layer_hides_is_what_overlayfs_knows() {
    if !is_root() {
        return;
    }
    let tar = Tar::default()
        .directory("etc")
        .file("etc/.wh.passwd", "")
        .file("etc/.wh..wh..opq", "")
        .file(".wh.gone", "")
        .directory("gone")
        .file("kept/file", "of this layer")
        .file("kept/.wh.file", "")
        .directory("whole")
        .file(".wh.whole", "")
        .file(".wh.again", "")
        .file("again", "there")
        .file(".wh..wh.plnk/1.2", "of AUFS")
        .file(".wh..wh.aufs", "of AUFS");
    let layer = unpacked(tar);
    assert!(is_whiteout(&layer.path("etc/passwd")));
    assert!(is_opaque(&layer.path("etc")));
    assert!(layer.path("gone").is_dir() && is_opaque(&layer.path("gone")));
    assert_eq!(layer.read("kept/file"), "of this layer");
    assert!(layer.path("whole").is_dir() && is_opaque(&layer.path("whole")));
    assert_eq!(layer.read("again"), "there");
    let mut names: Vec<String> = fs::read_dir(layer.path(""))
        .expect("a list")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    assert_eq!(names, ["again", "etc", "gone", "kept", "whole"]);
    assert_eq!(layer.unpacked.implied, [b"kept".to_vec()]);
}

#[test]
fn later_entries_replace_earlier_ones() {
    let tar = Tar::default()
        .file("a", "first")
        .file("a", "second")
        .directory("b")
        .file("b/c", "below")
        .symlink("b", "a")
        .symlink("c", "/")
        .directory("c")
        .file("c/file", "in a directory")
        .directory("d")
        .file("d/kept", "kept")
        .add(EntryType::Directory, "d", "", &[], |header| {
            header.set_mode(0o700)
        });
    let options = Options {
        rights: Rights::Own,
        ..OPTIONS
    };
    let layer = try_unpack(&tar.end(), options).expect("a layer");
    assert_eq!(layer.read("a"), "second");
    assert_eq!(
        fs::read_link(layer.path("b")).expect("a link"),
        Path::new("a")
    );
    assert_eq!(layer.read("c/file"), "in a directory");
    assert!(!layer.path("file").exists());
    assert_eq!(
        (layer.read("d/kept").as_str(), layer.mode("d")),
        ("kept", 0o700)
    );
}

#[test]
fn nothing_leaves_the_layer() {
    let options = Options {
        rights: Rights::Own,
        ..OPTIONS
    };
    // What is within, whatever it is called.
    let tar = Tar::default()
        .file("/absolute", "a")
        .file("./x/../dotted", "b")
        .file("x//./y", "c")
        .symlink("up", "../../../../..")
        .file("up/secret", "within")
        .symlink("root", "/")
        .file("root/through", "d")
        .directory("deep/er")
        .symlink("deep/er/back", "../../deep")
        .file("deep/er/back/file", "e");
    let layer = try_unpack(&tar.end(), options).expect("a layer");
    for (path, content) in [
        ("absolute", "a"),
        ("dotted", "b"),
        ("x/y", "c"),
        ("secret", "within"),
        ("through", "d"),
        ("deep/file", "e"),
    ] {
        assert_eq!(layer.read(path), content, "{path}");
    }

    // What is without.
    let secret = "../secret";
    for (tar, text) in [
        (
            Tar::default().file("../secret", "x"),
            "\"../secret\" is outside of it",
        ),
        (
            Tar::default().file("a/../../secret", "x"),
            "is outside of it",
        ),
        (Tar::default().file("/../secret", "x"), "is outside of it"),
        (Tar::default().directory(".."), "is outside of it"),
        (
            Tar::default().hard_link("stolen", secret),
            "is outside of it",
        ),
        (
            Tar::default().hard_link("stolen", "/"),
            "hard link to the root directory",
        ),
        (
            Tar::default()
                .symlink("up", "..")
                .hard_link("stolen", "up/secret"),
            "no such file or directory",
        ),
        (
            Tar::default()
                .symlink("p", "/proc/self/root")
                .hard_link("stolen", "p/etc/passwd"),
            "no such file",
        ),
        (Tar::default().file(".wh...", ""), "hides no file"),
        (Tar::default().file(".wh..", ""), "hides no file"),
        (Tar::default().file(".wh.", ""), "hides no file"),
        (Tar::default().file("a/.wh...", ""), "hides no file"),
        (
            Tar::default().file(".wh.a/b", ""),
            "below a file that hides another",
        ),
        (Tar::default().file(".", ""), "\".\" is no directory"),
        (Tar::default().symlink("a", ""), "is a link to nothing"),
        (
            Tar::default()
                .symlink("loop", "loop")
                .file("loop/file", "x"),
            "too many",
        ),
        (
            Tar::default().file("file", "").file("file/below", ""),
            "not a directory",
        ),
        (
            Tar::default()
                .symlink("nowhere", "missing")
                .file("nowhere/file", ""),
            "file exists",
        ),
        (
            Tar::default()
                .file(&"n".repeat(100), "")
                .extended(&[("path", &[b'n'; 300])])
                .file("x", ""),
            "name too long",
        ),
        (
            Tar::default().extended(&[("path", b"a\0b")]).file("x", ""),
            "a path in it is none",
        ),
        (
            Tar::default()
                .extended(&[("path", &[b'a'; 5000])])
                .file("x", ""),
            "a path in it is none",
        ),
    ] {
        let error = refused(tar);
        assert!(error.contains(text), "{error}, not {text}");
    }
}

/// A symbolic link that is there already, put where an entry wants to write.
#[test]
fn links_are_replaced_and_not_written_through() {
    let outside = tempfile::tempdir().expect("a directory");
    fs::write(outside.path().join("file"), "untouched").expect("a file");
    let target = outside.path().join("file");
    let target = target.to_str().expect("text");
    let options = Options {
        rights: Rights::Own,
        ..OPTIONS
    };
    let tar = Tar::default()
        .symlink("a", target)
        .file("a", "new")
        .symlink("b", target)
        .hard_link("c", "b")
        .file("c", "new")
        .symlink("d", outside.path().to_str().expect("text"))
        .directory("d")
        .file("d/file", "new");
    let layer = try_unpack(&tar.end(), options).expect("a layer");
    assert_eq!(
        fs::read_to_string(target).expect("it is there"),
        "untouched"
    );
    for path in ["a", "c", "d/file"] {
        assert_eq!(layer.read(path), "new", "{path}");
    }
}

#[test]
fn limits_end_what_has_no_end() {
    let small = Options {
        rights: Rights::Own,
        largest: 10,
        most: 3,
    };
    let many = Tar::default()
        .file("1", "")
        .file("2", "")
        .file("3", "")
        .file("4", "");
    let large = Tar::default().file("1", "12345").file("2", "123456");
    for (tar, text) in [(many, "more than 3 files"), (large, "more than 10 bytes")] {
        let error = try_unpack(&tar.end(), small)
            .err()
            .expect("a limit")
            .to_string();
        assert!(error.contains(text), "{error}");
    }
    // Eight exbibytes in one block.
    let sparse = Tar::default().add(EntryType::GNUSparse, "huge", "", &[], |header| {
        header.as_gnu_mut().expect("GNU's").set_real_size(1 << 62);
    });
    let error = refused(sparse);
    assert!(error.contains("more than 1073741824 bytes"), "{error}");
    // A name that would fill the memory.
    let name = Tar::default().add(EntryType::GNULongName, "l", "", &[], |header| {
        header.set_size(1 << 40)
    });
    assert!(refused(name).contains("more than 1 MiB"));
    let attributes = Tar::default().add(EntryType::XHeader, "x", "", &[], |header| {
        header.set_size(u64::MAX >> 1)
    });
    assert!(refused(attributes).contains("more than 1 MiB"));
}

#[test]
fn sparse_files_have_holes() {
    let tar = Tar::default().add(EntryType::GNUSparse, "sparse", "", &[b'x'; 600], |header| {
        let gnu = header.as_gnu_mut().expect("GNU's");
        gnu.set_real_size(3 << 20);
        for (piece, (offset, length)) in gnu.sparse.iter_mut().zip([(512, 512), (2 << 20, 88)]) {
            piece.set_offset(offset);
            piece.set_length(length);
        }
    });
    let options = Options {
        rights: Rights::Own,
        ..OPTIONS
    };
    let layer = try_unpack(&tar.file("after", "it").end(), options).expect("a layer");
    let content = fs::read(layer.path("sparse")).expect("the file");
    assert_eq!(content.len(), 3 << 20);
    let filled: Vec<usize> = (0..content.len())
        .filter(|at| content[*at] == b'x')
        .collect();
    assert_eq!(
        (filled[0], filled[511], filled[512], filled.len()),
        (512, 1023, 2 << 20, 600)
    );
    assert!(
        fs::metadata(layer.path("sparse"))
            .expect("the file")
            .blocks()
            * 512
            < 1 << 20
    );
    assert_eq!(layer.read("after"), "it");
}

#[test]
fn what_is_no_archive_is_refused() {
    let options = Options {
        rights: Rights::Own,
        ..OPTIONS
    };
    let whole = Tar::default().file("file", &"x".repeat(2000)).end();
    for length in [1, 511, 512, 600, 2511] {
        let error = try_unpack(&whole[..length], options).err().expect("cut");
        assert!(
            error.to_string().contains("it ends in the middle of"),
            "{length}: {error}"
        );
    }
    let mut wrong = whole.clone();
    wrong[0] ^= 1;
    let error = try_unpack(&wrong, options).err().expect("a wrong checksum");
    assert!(error.to_string().contains("wrong checksum"), "{error}");
    for (kind, text) in [(b'V', "unknown type 'V'"), (b'M', "unknown type 'M'")] {
        let tar = Tar::default().add(EntryType::new(kind), "x", "", &[], |_| {});
        let error = refused(tar);
        assert!(error.contains(text), "{error}");
    }
    let owner = Tar::default().add(EntryType::Regular, "x", "", &[], |header| {
        header.as_old_mut().uid = *b"\xff\xff\xff\xff\xff\xff\xff\xff";
    });
    assert!(refused(owner).contains("has no owner"));
    // Nothing at all is an empty layer, and what follows the end is not looked at.
    assert!(try_unpack(&[], options).is_ok());
    let mut followed = whole;
    followed.extend_from_slice(b"anything");
    assert!(try_unpack(&followed, options).is_ok());
}

#[test]
fn a_directory_that_was_not_described_is_as_below() {
    let options = Options {
        rights: Rights::Own,
        ..OPTIONS
    };
    let layer =
        try_unpack(&Tar::default().file("tmp/new/file", "").end(), options).expect("a layer");
    assert_eq!(
        layer.unpacked.implied,
        [b"tmp".to_vec(), b"tmp/new".to_vec()]
    );
    assert_eq!(layer.mode("tmp"), 0o755);
    let below = tempfile::tempdir().expect("a directory");
    fs::create_dir(below.path().join("tmp")).expect("a directory");
    fs::set_permissions(below.path().join("tmp"), fs::Permissions::from_mode(0o1777))
        .expect("a mode");
    let open = |path: &Path| std::os::fd::OwnedFd::from(File::open(path).expect("a directory"));
    let root = open(&layer.path(""));
    adopt(root.as_fd(), &layer.unpacked.implied, &[open(below.path())]).expect("adopted");
    assert_eq!((layer.mode("tmp"), layer.mode("tmp/new")), (0o1777, 0o755));
}

#[test]
fn without_root_all_files_are_ones_own() {
    let tar = Tar::default()
        .add(EntryType::Regular, "other", "", b"", |header| {
            header.set_uid(1000)
        })
        .file(".wh.gone", "");
    let options = Options {
        rights: Rights::Own,
        ..OPTIONS
    };
    let layer = try_unpack(&tar.end(), options).expect("a layer");
    assert!(layer.unpacked.is_foreign);
    let owner = fs::metadata(layer.path("other")).expect("a file").uid();
    assert_eq!(owner, rustix::process::geteuid().as_raw());
    assert!(
        is_whiteout(&layer.path("gone")),
        "the kernel lets everybody make this device"
    );
}

/// The helpers above would not see what they look for if the machine could not have it.
#[test]
fn the_tests_see_what_they_look_for() {
    let directory = tempfile::tempdir().expect("a directory");
    symlink("x", directory.path().join("link")).expect("a link");
    assert!(!is_whiteout(&directory.path().join("link")));
    assert!(!is_opaque(directory.path()));
    if is_root() {
        setxattr(
            directory.path(),
            "trusted.overlay.opaque",
            b"y",
            XattrFlags::empty(),
        )
        .expect("an attribute");
        assert!(is_opaque(directory.path()));
        let path = directory.path().join("w");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            FileType::CharacterDevice,
            rustix::fs::Mode::empty(),
            0,
        )
        .expect("a device");
        assert!(is_whiteout(&path));
    }
}
