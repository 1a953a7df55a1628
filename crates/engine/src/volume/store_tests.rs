use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;

use super::*;

struct World {
    directory: tempfile::TempDir,
    layout: Layout,
}

impl World {
    fn new() -> World {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path().join("root")).expect("a layout");
        World { directory, layout }
    }

    fn store(&self) -> Store<'_> {
        Store::new(&self.layout)
    }

    fn names(&self) -> Vec<String> {
        self.store()
            .list(Wanted(&|_, _| true))
            .expect("a list")
            .into_iter()
            .map(|volume| volume.name)
            .collect()
    }
}

fn named(name: &str) -> NewVolume {
    NewVolume {
        name: name.to_owned(),
        ..NewVolume::default()
    }
}

fn point(name: &str) -> MountPoint {
    let mut point = MountPoint::anonymous_volume("/data");
    point.name = name.to_owned();
    point
}

#[test]
fn a_volume_is_made_once_and_found() {
    let world = World::new();
    let store = world.store();
    let made = store
        .create(&NewVolume {
            labels: HashMap::from([("a".to_owned(), "b".to_owned())]),
            ..named("data")
        })
        .expect("a volume");
    assert_eq!(store.create(&named("data")).expect("the same"), made);
    assert_eq!(store.get("data").expect("a volume"), made);
    assert!(!made.is_anonymous());
    assert!(store.mountpoint("data").is_dir());
    let anonymous = store.create(&NewVolume::default()).expect("a volume");
    assert!(anonymous.is_anonymous());
    assert_eq!(anonymous.name.len(), 64);
    assert_eq!(world.names().len(), 2);
}

#[test]
fn what_is_not_there_is_said_in_dockers_words() {
    let world = World::new();
    let store = world.store();
    for name in ["data", "..", "../containers", ""] {
        let error = store.get(name).expect_err("none");
        assert_eq!(error.to_string(), format!("get {name}: no such volume"));
        assert_eq!(error.status(), 404);
        assert_eq!(store.remove(name, false).expect_err("none").status(), 404);
        store.remove(name, true).expect("none is fine");
    }
    assert!(world.names().is_empty());
}

#[test]
fn a_volume_in_use_stays() {
    let world = World::new();
    let store = world.store();
    let mut points = [point("data"), point("")];
    let made_up = store.take("c1", &mut points).expect("volumes");
    assert_eq!(points[0].source, store.mountpoint("data"));
    assert_eq!(made_up, [points[1].name.clone()]);
    let error = store.remove("data", true).expect_err("in use");
    assert_eq!(error.to_string(), "remove data: volume is in use - [c1]");
    assert_eq!(error.status(), 409);
    assert_eq!(
        store.prune(Wanted(&|_, _| true)).expect("an answer").0,
        Vec::<String>::new()
    );

    store.release("c1", &points, &made_up).expect("released");
    assert_eq!(world.names(), ["data"]);
    store.remove("data", false).expect("removed");
    assert!(world.names().is_empty());
    assert_eq!(
        fs::read_dir(world.layout.volumes())
            .expect("a list")
            .count(),
        1,
        "the lock alone"
    );
}

#[test]
fn an_anonymous_volume_that_another_container_has_stays() {
    let world = World::new();
    let store = world.store();
    let mut points = [point("")];
    let made_up = store.take("c1", &mut points).expect("volumes");
    // As --volumes-from has it.
    store.take("c2", &mut points.clone()).expect("volumes");
    store.release("c1", &points, &made_up).expect("released");
    assert_eq!(world.names(), made_up);
    store.release("c2", &points, &made_up).expect("released");
    assert!(world.names().is_empty());
}

#[test]
fn a_container_that_cannot_be_made_leaves_no_volume() {
    let world = World::new();
    let store = world.store();
    let mut wrong = point("data");
    wrong.driver = "nfs".to_owned();
    let error = store
        .take("c1", &mut [point(""), point("named"), wrong])
        .expect_err("no such driver");
    assert_eq!(error.status(), 501);
    // What has a name may have been meant for others, too.
    assert_eq!(world.names(), ["named"]);
    assert!(store.users("named").expect("a list").is_empty());
}

#[test]
fn those_that_nobody_uses_are_pruned() {
    let world = World::new();
    let store = world.store();
    for name in ["one", "two", "three"] {
        store.create(&named(name)).expect("a volume");
    }
    fs::write(store.mountpoint("one").join("file"), vec![1; 8192]).expect("a file");
    store.take("c1", &mut [point("two")]).expect("a volume");
    let (names, bytes) = store
        .prune(Wanted(&|volume, _| volume.name != "three"))
        .expect("an answer");
    assert_eq!(names, ["one"]);
    assert!(bytes >= 8192, "{bytes}");
    assert_eq!(world.names(), ["three", "two"]);
}

#[test]
fn a_subpath_does_not_lead_out_of_its_volume() {
    let world = World::new();
    let store = world.store();
    store.take("c1", &mut [point("data")]).expect("a volume");
    let data = store.mountpoint("data");
    fs::create_dir_all(data.join("a/b")).expect("a directory");
    fs::write(data.join("a/file"), "inside").expect("a file");
    symlink("a/b", data.join("in")).expect("a link");
    symlink("/etc", data.join("out")).expect("a link");
    symlink("../../..", data.join("up")).expect("a link");
    let open = |subpath: &str| {
        store.open(&MountPoint {
            subpath: subpath.to_owned(),
            ..point("data")
        })
    };
    for subpath in ["", "a", "a/b", "in", "a/file", "./a"] {
        open(subpath).expect(subpath);
    }
    for subpath in ["missing", "out", "up", "out/passwd", "../.."] {
        let error = open(subpath).expect_err(subpath);
        assert_eq!(error.status(), 400, "{error}");
    }
    assert_eq!(store.open(&point("none")).expect_err("none").status(), 404);
}

#[test]
fn a_volume_is_filled_by_its_first_container_at_its_first_start() {
    let world = World::new();
    let image = world.directory.path().join("image");
    fs::create_dir_all(image.join("data")).expect("a directory");
    fs::write(image.join("data/file"), "image").expect("a file");
    let root = File::open(&image).expect("a root");
    let store = world.store();
    let file = store.mountpoint("data").join("file");

    store.take("c1", &mut [point("data")]).expect("a volume");
    store
        .fill("c1", &point("data"), root.as_fd())
        .expect("filled");
    assert!(file.exists());
    // Whoever empties it finds it empty after a restart.
    fs::remove_file(&file).expect("removed");
    store
        .fill("c1", &point("data"), root.as_fd())
        .expect("left alone");
    assert!(!file.exists());
    // The next container fills it again.
    store.take("c2", &mut [point("data")]).expect("a volume");
    store
        .fill("c2", &point("data"), root.as_fd())
        .expect("filled");
    assert!(file.exists());

    let no_copy = MountPoint {
        no_copy: true,
        ..point("empty")
    };
    store.take("c3", &mut [no_copy.clone()]).expect("a volume");
    store
        .fill("c3", &no_copy, root.as_fd())
        .expect("left alone");
    assert_eq!(
        fs::read_dir(store.mountpoint("empty"))
            .expect("a list")
            .count(),
        0
    );
}

#[test]
fn a_directory_of_the_machine_may_be_a_volume() {
    let world = World::new();
    let store = world.store();
    let directory = world.directory.path().join("machine");
    let options = [
        ("type", "none"),
        ("o", "bind,ro"),
        ("device", directory.to_str().expect("text")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    store
        .create(&NewVolume {
            options: HashMap::from(options),
            ..named("bound")
        })
        .expect("a volume");
    let mut points = [point("bound")];
    store.take("c1", &mut points).expect("a volume");
    assert!(points[0].read_only);
    let error = store.open(&points[0]).expect_err("not there");
    assert!(
        error
            .to_string()
            .starts_with("failed to mount local volume"),
        "{error}"
    );
    fs::create_dir(&directory).expect("a directory");
    store.open(&points[0]).expect("a directory");
    // What is the machine's goes with no volume.
    fs::write(directory.join("file"), "machine").expect("a file");
    store.release("c1", &points, &[]).expect("released");
    store.remove("bound", false).expect("removed");
    assert!(directory.join("file").exists());
}

#[test]
fn removal_follows_no_link() {
    let world = World::new();
    let store = world.store();
    store.create(&named("data")).expect("a volume");
    let outside = world.directory.path().join("outside");
    fs::create_dir(&outside).expect("a directory");
    fs::write(outside.join("file"), "").expect("a file");
    symlink(&outside, store.mountpoint("data").join("link")).expect("a link");
    store.remove("data", false).expect("removed");
    assert!(outside.join("file").exists());
}
