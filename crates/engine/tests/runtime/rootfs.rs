//! Root directories: layers, directories and directories of the machine under overlays.

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use engine::rootfs::{self, Kind, Source};
use engine::runtime;
use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, mknodat};
use rustix::mount::{MountFlags, mount};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("layers_lie_over_each_other", layers_lie_over_each_other),
    (
        "a_copy_is_what_an_overlay_would_show",
        a_copy_is_what_an_overlay_would_show,
    ),
    (
        "a_directory_is_changed_itself",
        a_directory_is_changed_itself,
    ),
    (
        "a_directory_under_an_overlay_stays",
        a_directory_under_an_overlay_stays,
    ),
    (
        "the_machine_under_overlays_stays",
        the_machine_under_overlays_stays,
    ),
    (
        "changes_are_in_memory_where_they_must_be",
        changes_are_in_memory_where_they_must_be,
    ),
    ("many_layers_are_mounted", many_layers_are_mounted),
];

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        runtime::enter_mount_namespace(&[]).expect("a mount namespace");
        let place = Place(tempfile::tempdir().expect("a directory"));
        fs::create_dir(place.own()).expect("a directory");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn own(&self) -> PathBuf {
        self.path("own")
    }

    fn target(&self) -> PathBuf {
        self.path("target")
    }

    /// Makes the container's directory one that cannot hold the changes of an overlay: one of an overlay itself.
    fn cover_own_with_an_overlay(&self) {
        let (under, changes, work) = (self.path("under"), self.path("changes"), self.path("work"));
        for directory in [&under, &changes, &work] {
            fs::create_dir(directory).expect("a directory");
        }
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            under.display(),
            changes.display(),
            work.display()
        );
        let options = std::ffi::CString::new(options).expect("a string");
        mount(
            "overlay",
            self.own(),
            "overlay",
            MountFlags::empty(),
            options.as_c_str(),
        )
        .expect("an overlay");
    }

    fn mount(&self, source: &Source) -> rootfs::Mounted {
        rootfs::mount(source, &self.own(), &self.target()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn layer(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let layer = self.path(name);
        fs::create_dir(&layer).expect("a directory");
        for (path, content) in files {
            write(&layer.join(path), content);
        }
        layer
    }
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, content).expect("a file");
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| format!("{error}"))
}

fn layers(place: &Place) -> Vec<PathBuf> {
    let lower = place.layer(
        "lower",
        &[
            ("a", "lower"),
            ("gone", "x"),
            ("dir/below", "x"),
            ("opaque/hidden", "x"),
            ("file", "x"),
            ("was/dir", "x"),
        ],
    );
    let middle = place.layer(
        "middle",
        &[
            ("a", "middle"),
            ("opaque/shown", "y"),
            ("file/now", "dir"),
            ("dir/more", "y"),
            ("was", "file"),
        ],
    );
    let upper = place.layer("upper", &[("tool", "#!")]);
    mknodat(
        CWD,
        middle.join("gone"),
        FileType::CharacterDevice,
        Mode::empty(),
        0,
    )
    .expect("a whiteout");
    lsetxattr(
        middle.join("opaque"),
        "trusted.overlay.opaque",
        b"y",
        XattrFlags::empty(),
    )
    .expect("an attribute");
    // Of a layer's root it means nothing.
    lsetxattr(&upper, "trusted.overlay.opaque", b"y", XattrFlags::empty()).expect("an attribute");
    fs::set_permissions(&upper, fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::hard_link(upper.join("tool"), upper.join("again")).expect("a link");
    symlink("/a", upper.join("link")).expect("a link");
    mknodat(
        CWD,
        upper.join("fifo"),
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .expect("a fifo");
    chown(upper.join("tool"), Some(7), Some(8)).expect("an owner");
    fs::set_permissions(upper.join("tool"), fs::Permissions::from_mode(0o4755)).expect("a mode");
    lsetxattr(
        upper.join("tool"),
        "user.note",
        b"kept",
        XattrFlags::empty(),
    )
    .expect("an attribute");
    // Version 2 of the attribute, with CAP_NET_RAW.
    let capability = [
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    lsetxattr(
        upper.join("tool"),
        "security.capability",
        &capability,
        XattrFlags::empty(),
    )
    .expect("a capability");
    let long_ago =
        fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + std::time::Duration::new(77, 5));
    File::open(upper.join("tool"))
        .and_then(|file| file.set_times(long_ago))
        .expect("a time");
    vec![lower, middle, upper]
}

fn check_layers(target: &Path) {
    assert_eq!(read(target.join("a")), "middle");
    assert_eq!(
        read(target.join("link")),
        "No such file or directory (os error 2)",
        "it leads out of here"
    );
    assert_eq!(
        fs::read_link(target.join("link")).expect("a link"),
        Path::new("/a")
    );
    assert!(!target.join("gone").exists());
    assert!(target.join("dir/below").exists() && target.join("dir/more").exists());
    assert!(!target.join("opaque/hidden").exists() && target.join("opaque/shown").exists());
    assert_eq!(read(target.join("file/now")), "dir");
    assert_eq!(read(target.join("was")), "file");
    let tool = fs::metadata(target.join("tool")).expect("a file");
    assert_eq!(
        (tool.uid(), tool.gid(), tool.mode() & 0o7777),
        (7, 8, 0o4755)
    );
    assert_eq!((tool.mtime(), tool.mtime_nsec(), tool.nlink()), (77, 5, 2));
    assert_eq!(
        tool.ino(),
        fs::metadata(target.join("again")).expect("a file").ino()
    );
    for (name, length) in [("user.note", 4), ("security.capability", 20)] {
        let mut value = [0; 64];
        assert_eq!(
            rustix::fs::lgetxattr(target.join("tool"), name, &mut value),
            Ok(length),
            "{name}"
        );
    }
    assert!(
        fs::metadata(target.join("fifo"))
            .expect("a fifo")
            .file_type()
            .is_fifo()
    );
    let root = fs::metadata(target).expect("the root");
    assert_eq!(root.mode() & 0o7777, 0o755, "everybody gets into the root");
}

fn layers_lie_over_each_other() {
    let place = Place::new();
    let source = Source::Layers(layers(&place));
    let mounted = place.mount(&source);
    assert_eq!(mounted.kind, Kind::Overlay);
    check_layers(&place.target());
    write(&place.target().join("a"), "mine");
    fs::remove_file(place.target().join("tool")).expect("a file is removed");

    // Its changes are there the next time, and nowhere else.
    rootfs::unmount_all(&place.target()).expect("it is unmounted");
    assert_eq!(
        fs::read_dir(place.target()).expect("a directory").count(),
        0
    );
    assert_eq!(read(place.path("middle/a")), "middle");
    assert!(place.path("upper/tool").exists());
    place.mount(&source);
    assert_eq!(read(place.target().join("a")), "mine");
    assert!(!place.target().join("tool").exists());
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let own = mounts
        .lines()
        .find(|line| line.contains(" - overlay ") && line.contains("target"))
        .expect("an overlay");
    assert!(own.contains("volatile"), "{own}");
    let path = place.path("lower").display().to_string();
    assert!(
        !own.contains(&path),
        "what a container sees of its mounts says nothing about the machine: {own}"
    );
}

fn a_copy_is_what_an_overlay_would_show() {
    let place = Place::new();
    let layers = layers(&place);
    place.cover_own_with_an_overlay();
    let source = Source::Layers(layers);
    let mounted = place.mount(&source);
    assert_eq!(mounted.kind, Kind::Copy);
    assert_eq!(mounted.warnings.len(), 1);
    check_layers(&place.target());
    write(&place.target().join("a"), "mine");
    rootfs::unmount_all(&place.target()).expect("it is unmounted");
    assert_eq!(place.mount(&source).kind, Kind::Copy);
    assert_eq!(read(place.target().join("a")), "mine", "it is copied once");
    assert_eq!(read(place.path("middle/a")), "middle");
}

fn a_directory_is_changed_itself() {
    let place = Place::new();
    let directory = place.layer("directory", &[("a", "x")]);
    let mounted = place.mount(&Source::Directory(directory.clone()));
    assert_eq!(mounted.kind, Kind::Directory);
    write(&place.target().join("b"), "y");
    assert_eq!(read(directory.join("b")), "y");
}

fn a_directory_under_an_overlay_stays() {
    let place = Place::new();
    let directory = place.layer("directory", &[("a", "x"), ("mounted/under", "x")]);
    mount(
        "tmpfs",
        directory.join("mounted"),
        "tmpfs",
        MountFlags::empty(),
        None,
    )
    .expect("a tmpfs");
    write(&directory.join("mounted/over"), "y");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o751)).expect("a mode");
    let source = Source::Overlay(directory.clone());
    assert_eq!(place.mount(&source).kind, Kind::Overlay);
    let target = place.target();
    assert_eq!(
        fs::metadata(&target).expect("the root").mode() & 0o7777,
        0o751
    );
    write(&target.join("a"), "mine");
    assert_eq!(read(directory.join("a")), "x");
    assert_eq!(
        read(target.join("mounted/over")),
        "y",
        "what is mounted there shows"
    );
    let error = fs::write(target.join("mounted/over"), "z").expect_err("it is read-only");
    assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    rootfs::unmount_all(&target).expect("it is unmounted");
    place.mount(&source);
    assert_eq!(read(target.join("a")), "mine");
}

fn the_machine_under_overlays_stays() {
    let place = Place::new();
    let source = Source::parse("/:O").expect("a source");
    let mounted = place.mount(&source);
    assert_eq!(mounted.kind, Kind::Overlays);
    let target = place.target();
    assert_eq!(
        fs::metadata(&target).expect("the root").mode() & 0o7777,
        fs::metadata("/").expect("the root").mode() & 0o7777
    );
    assert_eq!(read(target.join("etc/passwd")), read("/etc/passwd".into()));
    for own in ["proc", "sys", "dev", "run"] {
        assert_eq!(
            fs::read_dir(target.join(own)).expect("a directory").count(),
            0,
            "{own}"
        );
    }
    for name in [
        "etc/engine-test",
        "usr/engine-test",
        "tmp/engine-test",
        "var/engine-test",
        "engine-test",
    ] {
        write(&target.join(name), "mine");
        assert!(!Path::new("/").join(name).exists(), "{name}");
    }
    fs::remove_file(target.join("etc/passwd")).expect("a file is removed");
    assert!(Path::new("/etc/passwd").exists());
    rootfs::unmount_all(&target).expect("it is unmounted");
    assert_eq!(fs::read_dir(&target).expect("a directory").count(), 0);
    place.mount(&source);
    assert_eq!(read(target.join("etc/engine-test")), "mine");
    assert!(!target.join("etc/passwd").exists());
    assert_eq!(read(target.join("tmp/engine-test")), "mine");
    assert!(
        !target.join("engine-test").exists(),
        "the root is in memory"
    );
}

fn changes_are_in_memory_where_they_must_be() {
    let place = Place::new();
    place.cover_own_with_an_overlay();
    let mounted = place.mount(&Source::parse("/:O").expect("a source"));
    write(&place.target().join("etc/engine-test"), "mine");
    assert!(!Path::new("/etc/engine-test").exists());
    let warning = "What the container changes below /etc is kept in memory and lost when it ends.";
    assert!(
        mounted.warnings.iter().any(|other| other == warning),
        "{:?}",
        mounted.warnings
    );
}

fn many_layers_are_mounted() {
    let place = Place::new();
    let layers: Vec<PathBuf> = (0..128)
        .map(|number| {
            place.layer(
                &format!("layer-{number}-{}", "x".repeat(100)),
                &[("number", &number.to_string())],
            )
        })
        .collect();
    assert_eq!(place.mount(&Source::Layers(layers)).kind, Kind::Overlay);
    assert_eq!(read(place.target().join("number")), "127");
}
