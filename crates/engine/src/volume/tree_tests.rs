use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::process::geteuid;

use super::*;

fn copy_of(source: &Path) -> tempfile::TempDir {
    let target = tempfile::tempdir().expect("a directory");
    let from = File::open(source).expect("a directory");
    let to = File::open(target.path()).expect("a directory");
    copy(from.as_fd(), to.as_fd()).expect("a copy");
    target
}

#[test]
fn a_copy_is_like_the_original() {
    let source = tempfile::tempdir().expect("a directory");
    let source = source.path();
    fs::create_dir_all(source.join("a/b")).expect("a directory");
    fs::write(source.join("a/b/file"), "content").expect("a file");
    fs::hard_link(source.join("a/b/file"), source.join("again")).expect("a link");
    fs::hard_link(source.join("a/b/file"), source.join("a/too")).expect("a link");
    symlink("/etc/passwd", source.join("link")).expect("a link");
    symlink("missing", source.join("a/b/dangling")).expect("a link");
    fs::set_permissions(source.join("a"), fs::Permissions::from_mode(0o2751)).expect("a mode");
    fs::set_permissions(source.join("again"), fs::Permissions::from_mode(0o4755)).expect("a mode");
    fs::set_permissions(source, fs::Permissions::from_mode(0o1777)).expect("a mode");
    let old = Timestamps {
        last_access: Timespec {
            tv_sec: 1,
            tv_nsec: 2,
        },
        last_modification: Timespec {
            tv_sec: 3,
            tv_nsec: 4,
        },
    };
    for name in ["again", "link", "a/b", "a"] {
        let path = source.join(name);
        utimensat(CWD, &path, &old, AtFlags::SYMLINK_NOFOLLOW).expect("a time");
    }
    let copy = copy_of(source);
    let copy = copy.path();

    assert_eq!(fs::read(copy.join("a/b/file")).expect("a file"), b"content");
    let inode = |name: &str| fs::metadata(copy.join(name)).expect("a file").ino();
    assert_eq!(inode("again"), inode("a/b/file"));
    assert_eq!(inode("again"), inode("a/too"));
    assert_eq!(
        fs::read_link(copy.join("link")).expect("a link"),
        Path::new("/etc/passwd")
    );
    for name in ["", "a", "a/b", "again", "link", "a/b/dangling"] {
        let of = |root: &Path| fs::symlink_metadata(root.join(name)).expect("a file");
        let (of, to) = (of(source), of(copy));
        assert_eq!(
            (of.mode(), of.uid(), of.gid()),
            (to.mode(), to.uid(), to.gid()),
            "{name}"
        );
        assert_eq!(
            (of.mtime(), of.mtime_nsec()),
            (to.mtime(), to.mtime_nsec()),
            "{name}"
        );
    }
}

#[test]
fn owners_devices_and_capabilities_are_copied() {
    if !geteuid().is_root() {
        eprintln!("not tested here: only root has files of others");
        return;
    }
    let source = tempfile::tempdir().expect("a directory");
    let source = source.path();
    let program = source.join("program");
    fs::write(&program, "").expect("a file");
    std::os::unix::fs::chown(&program, Some(12), Some(34)).expect("an owner");
    // CAP_NET_RAW, permitted and effective, in the second form.
    let capability: [u8; 20] = [
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let file = File::open(&program).expect("a file");
    fsetxattr(
        &file,
        "security.capability",
        &capability,
        XattrFlags::empty(),
    )
    .expect("a capability");
    symlink("x", source.join("link")).expect("a link");
    std::os::unix::fs::lchown(source.join("link"), Some(56), Some(78)).expect("an owner");
    let mode = Mode::from_raw_mode(0o666);
    mknodat(CWD, source.join("fifo"), FileType::Fifo, mode, 0).expect("a fifo");
    let null = rustix::fs::makedev(1, 3);
    mknodat(
        CWD,
        source.join("null"),
        FileType::CharacterDevice,
        mode,
        null,
    )
    .expect("a device");
    fs::set_permissions(source.join("null"), fs::Permissions::from_mode(0o666)).expect("a mode");

    let copy = copy_of(source);
    let of = |name: &str| fs::symlink_metadata(copy.path().join(name)).expect("a file");
    assert_eq!((of("program").uid(), of("program").gid()), (12, 34));
    assert_eq!((of("link").uid(), of("link").gid()), (56, 78));
    assert!(of("fifo").file_type().is_fifo());
    assert!(of("null").file_type().is_char_device());
    assert_eq!(of("null").rdev(), null);
    assert_eq!(of("null").mode() & 0o7777, 0o666);
    let file = File::open(copy.path().join("program")).expect("a file");
    let mut value = [0; 64];
    let length = fgetxattr(&file, "security.capability", &mut value).expect("a capability");
    assert_eq!(value[..length], capability);
}

#[test]
fn holes_stay_holes() {
    let source = tempfile::tempdir().expect("a directory");
    let path = source.path().join("sparse");
    let file = File::create(&path).expect("a file");
    {
        use std::os::unix::fs::FileExt;
        file.write_all_at(b"in the middle", 64 << 20).expect("data");
        file.set_len(1 << 40).expect("a length");
    }
    let copy = copy_of(source.path());
    let copied = fs::metadata(copy.path().join("sparse")).expect("a file");
    assert_eq!(copied.len(), 1 << 40);
    assert!(copied.blocks() < 2048, "{}", copied.blocks());
    let mut buffer = [0; 13];
    {
        use std::os::unix::fs::FileExt;
        File::open(copy.path().join("sparse"))
            .expect("a file")
            .read_exact_at(&mut buffer, 64 << 20)
            .expect("data");
    }
    assert_eq!(&buffer, b"in the middle");
}

#[test]
fn files_of_other_file_systems_are_copied() {
    let memory = Path::new("/dev/shm");
    let Ok(source) = tempfile::tempdir_in(memory) else {
        eprintln!("not tested here: there is no {}", memory.display());
        return;
    };
    let content: Vec<u8> = (0..200_000u32).map(|number| number as u8).collect();
    fs::write(source.path().join("file"), &content).expect("a file");
    let copy = copy_of(source.path());
    assert_eq!(fs::read(copy.path().join("file")).expect("a file"), content);
}

#[test]
fn directories_without_end_are_refused() {
    let source = tempfile::tempdir().expect("a directory");
    let mut path = source.path().to_owned();
    for _ in 0..=DEPTH {
        path.push("d");
    }
    fs::create_dir_all(&path).expect("directories");
    let target = tempfile::tempdir().expect("a directory");
    let from = File::open(source.path()).expect("a directory");
    let to = File::open(target.path()).expect("a directory");
    let error = copy(from.as_fd(), to.as_fd()).expect_err("too deep");
    assert!(error.to_string().contains("256 deep"), "{error}");
}
