//! A full disk: whatever is asked of the engine then is done, or refused with a sentence and nothing left of it; what runs
//! goes on, and ends as it should. When there is room again, everything works.
//!
//! The disk is a small tmpfs, filled so that some pages are left, or some files: none, one, two, and so on until what is
//! asked succeeds. So each of its writes is the one that fails, whatever the engine writes and in whatever order.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::{Image, Outcome, Program, Registry};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::state::{State, entries, until};

/// The bytes of the disk, and the files on it.
const OPTIONS: &str = "size=24m,nr_inodes=3000";

/// What runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource {
    Pages,
    Files,
}

const RESOURCES: [Resource; 2] = [Resource::Pages, Resource::Files];

/// An engine whose state is on a disk of its own.
struct Disk {
    // Before what it lies on.
    state: State,
    mount: Mount,
}

struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        // A failed test may have left something that uses it.
        if let Err(error) = unmount(&self.0, UnmountFlags::DETACH) {
            eprintln!("{} stays mounted: {error}", self.0.display());
        }
    }
}

impl Disk {
    /// One with an image, `box`. Nothing, after a line that names the test, where this process is not root.
    fn new(test: &str) -> Option<Disk> {
        if !rustix::process::geteuid().is_root() {
            return harness::left_out(test, "to be root");
        }
        let tool = Program::new(env!("CARGO_BIN_EXE_tool"));
        let mount_point = tool.directory().join("disk");
        fs::create_dir(&mount_point).expect("a directory");
        let options = std::ffi::CString::new(OPTIONS).expect("a string");
        mount(
            "tmpfs",
            &mount_point,
            "tmpfs",
            MountFlags::empty(),
            &*options,
        )
        .expect("root mounts");
        let mount = Mount(mount_point);
        let state = State::at(tool, mount.0.join("state"));
        let disk = Disk { state, mount };
        let archive = image().archive("box:latest");
        let loaded = disk.tool_with(&["load"], archive);
        assert_eq!(loaded.code, Some(0), "{}", loaded.err());
        // What is made once and stays, by a process that works on when all is answered, too.
        let is_synced = |layer: PathBuf| layer.join("synced").exists();
        let layers = disk.state.root.join("layers");
        assert!(until(|| entries(&layers).any(is_synced)));
        disk.state
            .ok(&[RUN, &["--volume", "/data", "box", "true"]].concat());
        disk.state.ok(&["rm", "--volumes", "one"]);
        assert!(until(|| disk.state.leftovers(&[]).is_empty()));
        Some(disk)
    }

    fn tool_with(&self, words: &[&str], input: Vec<u8>) -> Outcome {
        self.state.tool.run_with(self.state.words(words), input)
    }

    /// The free pages and files.
    fn free(&self) -> [u64; 2] {
        let seen = statvfs(&self.mount.0).expect("a disk");
        [seen.f_bfree * seen.f_frsize / 4096, seen.f_ffree]
    }

    /// Whether there is neither a container nor anything of one that was removed.
    fn has_no_container(&self) -> bool {
        let containers = fs::read_dir(self.mount.0.join("state/containers"));
        containers.is_ok_and(|mut entries| entries.next().is_none())
    }

    /// Fills it until that much is left.
    fn fill(&self, resource: Resource, left: u64) -> Filler<'_> {
        let directory = self.mount.0.join("filler");
        fs::create_dir(&directory).expect("a directory");
        let filler = Filler {
            disk: self,
            directory,
        };
        filler.fill(resource, left);
        filler
    }
}

/// What fills a disk, until this is dropped.
struct Filler<'a> {
    disk: &'a Disk,
    directory: PathBuf,
}

impl Filler<'_> {
    fn fill(&self, resource: Resource, left: u64) {
        let path = |number: u64| self.directory.join(number.to_string());
        let first = File::create(path(0)).expect("a file");
        let (mut size, mut count) = (0, 0);
        // Something may be removed yet that is not needed any more.
        assert!(
            until(|| {
                let free = self.disk.free()[usize::from(resource == Resource::Files)];
                if free <= left {
                    return free == left;
                }
                match resource {
                    Resource::Pages => {
                        let more = (free - left) * 4096;
                        fallocate(&first, FallocateFlags::empty(), size, more).expect("room");
                        size += more;
                    }
                    Resource::Files => {
                        for _ in left..free {
                            count += 1;
                            File::create(path(count)).expect("room");
                        }
                    }
                }
                false
            }),
            "{:?} are free, and not {left} {resource:?}",
            self.disk.free()
        );
    }
}

impl Filler<'_> {
    /// Takes what has become free, by a file of that number.
    fn take_rest(&self, resource: Resource, number: u64) {
        let path = self.directory.join(number.to_string());
        match resource {
            Resource::Pages => {
                let file = File::options().append(true).open(self.directory.join("0"));
                // It ends with the last page.
                while file.as_ref().expect("a file").write(&[0; 4096]).is_ok() {}
            }
            Resource::Files => drop(File::create(path)),
        }
    }
}

impl Drop for Filler<'_> {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).expect("it can be removed");
    }
}

/// A small image with something in a directory for a volume.
fn image() -> Image {
    Image::busybox()
        .with_file("data/one", 0o644, vec![b'1'; 5000])
        .with_file("data/two", 0o644, vec![b'2'; 5000])
}

/// What is asked of the engine.
struct Request<'a> {
    words: &'a [&'a str],
    input: Vec<u8>,
    /// What its failure returns.
    code: i32,
    /// What makes it possible, and what undoes it, done or not.
    before: &'a [&'a [&'a str]],
    after: &'a [&'a [&'a str]],
}

/// Asks with less and less of a full disk.
fn at_each_level(disk: &Disk, request: &Request<'_>) -> Vec<String> {
    let state = &disk.state;
    let undo = || {
        for words in request.after {
            state.tool(words);
        }
    };
    // This makes what is made once and stays, such as directories.
    for words in request.before {
        state.ok(words);
    }
    let first = disk.tool_with(request.words, request.input.clone());
    assert_eq!(first.code, Some(0), "{:?}: {}", request.words, first.err());
    undo();
    // What a container wrote is deleted when its removal has been answered.
    assert!(until(
        || state.leftovers(&[]).is_empty() && disk.has_no_container()
    ));
    let expected = disk.free();
    let mut wrong = Vec::new();
    for resource in RESOURCES {
        let mut left = 0;
        loop {
            for words in request.before {
                state.ok(words);
            }
            let filler = disk.fill(resource, left);
            let outcome = disk.tool_with(request.words, request.input.clone());
            drop(filler);
            if outcome.code == Some(0) {
                undo();
                break;
            }
            let mut fail = |what: String| {
                wrong.push(format!(
                    "{:?} with {left} {resource:?}: {what}",
                    request.words
                ));
            };
            if outcome.code != Some(request.code) {
                fail(format!("{outcome:?}"));
            }
            let err = outcome.err();
            if !err.contains("no space left on device") || err.contains("panicked") {
                fail(format!("it says {err:?}"));
            }
            let found = state.check(&[], &[]);
            if !found.is_empty() {
                fail(format!("check finds {found:?}"));
            }
            undo();
            until(|| state.leftovers(&[]).is_empty());
            let found = state.check(&[], &[]);
            if !found.is_empty() {
                fail(format!("check finds in the end {found:?}"));
            }
            // What failed is done when there is room.
            for words in request.before {
                state.ok(words);
            }
            let again = disk.tool_with(request.words, request.input.clone());
            if again.code != Some(0) {
                fail(format!("again: {}", again.err()));
            }
            undo();
            if !until(|| disk.free() == expected) {
                let free = disk.free();
                fail(format!(
                    "{free:?} pages and files are free, and were {expected:?}"
                ));
            }
            left += 1 + left / 4;
        }
        eprintln!("{:?}: {left} {resource:?}", request.words);
    }
    wrong
}

const RUN: &[&str] = &["run", "--name", "one", "--network", "none"];

#[test]
fn whatever_makes_something_makes_it_or_says_why_not() {
    let test = "full_disk::whatever_makes_something_makes_it_or_says_why_not";
    let Some(disk) = Disk::new(test) else { return };
    let mut wrong = Vec::new();
    let mut asked = |words: &[&str], before: &[&[&str]], after: &[&[&str]], code: i32| {
        let request = Request {
            words,
            input: Vec::new(),
            code,
            before,
            after,
        };
        wrong.extend(at_each_level(&disk, &request));
    };
    let remove: &[&[&str]] = &[&["rm", "--force", "--volumes", "one"]];
    let run = |rest: &[&'static str]| [RUN, rest].concat();
    asked(&run(&["box", "true"]), &[], remove, 125);
    asked(
        &run(&["--detach", "box", "sleep", "1000"]),
        &[],
        remove,
        125,
    );
    asked(
        &run(&["--volume", "/data", "box", "true"]),
        &[],
        remove,
        125,
    );
    let rename: &[&[&str]] = &[&run(&["box", "true"])];
    asked(
        &["rename", "one", "two"],
        rename,
        &[&["rm", "--force", "one", "two"]],
        1,
    );
    asked(&["tag", "box", "other"], &[], &[&["rmi", "other"]], 1);
    asked(
        &["volume", "create", "one"],
        &[],
        &[&["volume", "rm", "one"]],
        1,
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_image_is_there_whole_or_not_at_all() {
    let test = "full_disk::an_image_is_there_whole_or_not_at_all";
    let Some(disk) = Disk::new(test) else { return };
    let other = Image::busybox().with_file("data/other", 0o644, vec![b'3'; 100_000]);
    let mut wrong = at_each_level(
        &disk,
        &Request {
            words: &["load"],
            input: other.archive("other:latest"),
            code: 1,
            before: &[],
            after: &[&["rmi", "other"]],
        },
    );
    let registry = match Registry::start() {
        Ok(registry) => registry,
        Err(missing) => return harness::left_out(test, &missing).unwrap_or(()),
    };
    let name = registry.push(&other, "other:latest");
    wrong.extend(at_each_level(
        &disk,
        &Request {
            words: &["pull", &name],
            input: Vec::new(),
            code: 1,
            before: &[],
            after: &[&["rmi", &name]],
        },
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever is on a full disk writes on as soon as anything is freed. This does, until it is dropped.
struct Greedy<'a> {
    filler: &'a Filler<'a>,
    resource: Resource,
    is_over: AtomicBool,
}

impl Greedy<'_> {
    fn run(&self) {
        for number in 1_000_000.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            self.filler.take_rest(self.resource, number);
        }
    }
}

/// Has it end, also when the test fails.
struct Enough<'a>(&'a Greedy<'a>);

impl Drop for Enough<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_runs_goes_on_and_its_end_is_told_and_recorded() {
    let test = "full_disk::what_runs_goes_on_and_its_end_is_told_and_recorded";
    let Some(disk) = Disk::new(test) else { return };
    let state = &disk.state;
    let inspect = |name: &str| {
        let format = "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}";
        state.ok(&["inspect", "--format", format, name])
    };
    let patient = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done";
    for resource in RESOURCES {
        let start = |name: &str, options: &[&str], script: &str| {
            let words = [&["run", "--name", name, "--network", "none"], options];
            let words = [&words.concat()[..], &["box", "sh", "-c", script]].concat();
            state.tool.start(state.words(&words))
        };
        let detached = |name, options: &[&str], script| {
            let outcome = start(name, &[&["--detach"], options].concat(), script).finish();
            assert_eq!(outcome.code, Some(0), "{}", outcome.err());
        };
        detached("stopped", &[], patient);
        detached("killed", &[], patient);
        detached("removed", &[], patient);
        detached("restarted", &[], patient);
        detached("again", &["--restart", "on-failure:3"], "sleep 0.5; exit 6");
        let waiting = state.tool.start(state.words(&["wait", "stopped"]));
        let mut attached = start("attached", &["--interactive"], "echo ready; read x; exit 4");
        let mut passing = start(
            "passing",
            &["--interactive", "--rm"],
            "echo ready; read x; exit 5",
        );
        for running in [&attached, &passing] {
            running.wait_for_out("ready\n");
        }
        for name in ["stopped", "killed", "removed", "restarted"] {
            assert!(until(|| state.ok(&["logs", name]) == "ready\n"));
        }

        let filler = disk.fill(resource, 0);
        let greedy = Greedy {
            filler: &filler,
            resource,
            is_over: AtomicBool::new(false),
        };
        thread::scope(|scope| {
            scope.spawn(|| greedy.run());
            let _enough = Enough(&greedy);
            // One who makes room has to be let in.
            let made = state.tool(&["exec", "killed", "sh", "-c", "echo in; exit 9"]);
            made.assert(9, "in\n", "");
            state.tool(&["stop", "stopped"]).assert(0, "stopped\n", "");
            assert_eq!(inspect("stopped"), "exited 3 \n", "{resource:?}");
            waiting.finish().assert(0, "3\n", "");
            state.tool(&["kill", "killed"]).assert(0, "killed\n", "");
            assert_eq!(inspect("killed"), "exited 137 \n", "{resource:?}");
            state
                .tool(&["rm", "--force", "removed"])
                .assert(0, "removed\n", "");
            attached.write("\n");
            attached.close_input();
            attached.finish().assert(4, "ready\n", "");
            assert_eq!(inspect("attached"), "exited 4 \n", "{resource:?}");
            passing.write("\n");
            passing.close_input();
            passing.finish().assert(5, "ready\n", "");
            // It may get hold of what it leaves itself.
            let outcome = state.tool(&["restart", "restarted"]);
            if outcome.code != Some(0) {
                outcome.assert_err_contains(1, "", "no space left on device");
                assert!(
                    inspect("restarted").starts_with("exited "),
                    "{}",
                    inspect("restarted")
                );
            }
            state.ok(&["stop", "restarted"]);
            assert!(until(|| inspect("again").starts_with("exited ")));
            let listed = state.ok(&["ps", "--format", "{{.Names}}"]);
            assert_eq!(listed, "", "nothing runs");
        });
        drop(filler);

        let names = ["stopped", "killed", "restarted", "attached", "again"];
        let expected = [
            "exited 3 ",
            "exited 137 ",
            "exited ",
            "exited 4 ",
            "exited ",
        ];
        for (name, expected) in names.iter().zip(expected) {
            assert!(
                inspect(name).starts_with(expected),
                "{name}: {}",
                inspect(name)
            );
        }
        assert!(
            until(|| state.check(&[], &[]).is_empty()),
            "{:?}",
            state.check(&[], &[])
        );
        for name in ["stopped", "killed", "restarted"] {
            state.ok(&["start", name]);
            state.ok(&["stop", name]);
            assert_eq!(inspect(name), "exited 3 \n");
        }
        state.ok(&[&["rm", "--force"], &names[..]].concat());
        assert!(until(|| state.leftovers(&[]).is_empty()));
        assert_eq!(state.check(&[], &[]), [""; 0]);
    }
}

#[test]
fn what_fills_the_disk_is_seen_to_its_end() {
    let test = "full_disk::what_fills_the_disk_is_seen_to_its_end";
    let Some(disk) = Disk::new(test) else { return };
    let state = &disk.state;
    let before = disk.free();
    // Its log; who looks at it sees all the same.
    let words = [RUN, &["box", "sh", "-c", "seq 1 2000000; exit 7"]].concat();
    let outcome = state.tool(&words);
    assert_eq!((outcome.code, outcome.err()), (Some(7), String::new()));
    let lines = outcome.out();
    assert!(
        (1..)
            .zip(lines.lines())
            .all(|(number, line)| line == number.to_string())
    );
    assert_eq!(lines.lines().count(), 2_000_000);
    let format = "{{.State.Status}} {{.State.ExitCode}}";
    assert_eq!(
        state.ok(&["inspect", "--format", format, "one"]),
        "exited 7\n"
    );
    // What is kept has no half lines.
    let kept = state.ok(&["logs", "one"]);
    let kept: Vec<u32> = kept
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert!(kept.len() > 1000, "{} lines are kept", kept.len());
    assert!(kept.windows(2).all(|two| two[0] < two[1]), "lines are torn");
    state.ok(&["rm", "one"]);
    assert!(
        until(|| disk.free() == before),
        "{:?}, {before:?}",
        disk.free()
    );
    // Its files.
    let script = "dd if=/dev/zero of=/fill bs=64k 2>&1 | head -n 1; exit 8";
    let words = [RUN, &["--detach", "box", "sh", "-c", script]].concat();
    state.ok(&words);
    assert_eq!(state.ok(&["wait", "one"]), "8\n");
    assert_eq!(
        state.ok(&["inspect", "--format", format, "one"]),
        "exited 8\n"
    );
    assert!(disk.free()[0] < 100, "{:?}", disk.free());
    state.ok(&["rm", "one"]);
    assert!(
        until(|| disk.free() == before),
        "{:?}, {before:?}",
        disk.free()
    );
    // Both, and somebody who makes room from inside.
    let script = "dd if=/dev/zero of=/fill bs=64k; while :; do echo tick; sleep 0.05; done";
    let words = [RUN, &["--detach", "box", "sh", "-c", script]].concat();
    state.ok(&words);
    assert!(until(|| disk.free()[0] == 0));
    state
        .tool(&["exec", "one", "rm", "/fill"])
        .assert(0, "", "");
    let following = state
        .tool
        .start(state.words(&["logs", "--follow", "--tail", "0", "one"]));
    following.wait_for_out("tick\n");
    state.ok(&["rm", "--force", "one"]);
    following.finish();
    assert!(
        until(|| disk.free() == before),
        "{:?}, {before:?}",
        disk.free()
    );
    assert_eq!(state.check(&[], &[]), [""; 0]);
}

#[test]
fn what_makes_room_is_done() {
    let test = "full_disk::what_makes_room_is_done";
    let Some(disk) = Disk::new(test) else { return };
    let state = &disk.state;
    for resource in RESOURCES {
        state.ok(&[RUN, &["--volume", "data:/data", "box", "true"]].concat());
        state.ok(&["tag", "box", "other"]);
        state.ok(&[
            "run",
            "--name",
            "two",
            "--network",
            "none",
            "--volume",
            "/data",
            "box",
            "true",
        ]);
        state.ok(&["volume", "create", "three"]);
        let filler = disk.fill(resource, 0);
        for words in [
            &["rm", "one"][..],
            &["rm", "--volumes", "two"],
            &["volume", "rm", "three"],
            &["volume", "rm", "data"],
            &["rmi", "other"],
        ] {
            // What was freed is filled again.
            filler.take_rest(resource, 2_000_000);
            let outcome = state.tool(words);
            assert_eq!(
                (outcome.code, outcome.err()),
                (Some(0), String::new()),
                "{words:?}"
            );
        }
        drop(filler);
        assert_eq!(state.ok(&["volume", "ls", "--quiet"]), "");
        assert!(until(|| state.leftovers(&[]).is_empty()));
        assert_eq!(state.check(&[], &[]), [""; 0]);
    }
    let filler = disk.fill(Resource::Pages, 0);
    state.ok(&["rmi", "box"]);
    drop(filler);
    assert_eq!(state.ok(&["images", "--quiet"]), "");
    assert_eq!(state.check(&[], &[]), [""; 0]);
}
