//! A private engine state for one test, and checks of what is left in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use harness::{Outcome, Program, TIMEOUT};

/// The engine inside of the program, with a root of its own. What is left when this is dropped is removed.
pub(crate) struct State {
    pub(crate) tool: Program,
    host: String,
    pub(crate) root: PathBuf,
    pub(crate) run: PathBuf,
    /// A directory to run containers in: busybox.
    pub(crate) rootfs: String,
    /// Programs in whose directories something of it lies.
    pub(crate) kept: Vec<Program>,
}

impl State {
    /// One below a fresh directory. Nothing, after a line that names the test, where this process is not root.
    pub(crate) fn new(test: &str) -> Option<State> {
        if !rustix::process::geteuid().is_root() {
            return harness::left_out(test, "to be root");
        }
        let tool = Program::new(env!("CARGO_BIN_EXE_tool"));
        let root = tool.directory().join("state");
        Some(State::at(tool, root))
    }

    /// One in that directory.
    pub(crate) fn at(tool: Program, root: PathBuf) -> State {
        let mut state = State {
            tool,
            host: format!("embedded://{}", root.display()),
            root,
            run: PathBuf::new(),
            rootfs: String::new(),
            kept: Vec::new(),
        };
        let format = "{{.Embedded.RuntimeDirectory}}";
        let outcome = state.tool(&["engine", "info", "--format", format]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.err());
        state.run = PathBuf::from(outcome.out().trim());
        state.rootfs = state.make_rootfs();
        state
    }

    /// The words of a command on this engine.
    pub(crate) fn words<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec!["-H", &self.host];
        all.extend(words);
        all
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn tool(&self, words: &[&str]) -> Outcome {
        self.tool.run(self.words(words))
    }

    /// Runs a command that has to succeed, and returns what it wrote.
    #[track_caller]
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let outcome = self.tool(words);
        let said = (outcome.code, outcome.err());
        assert_eq!(said.0, Some(0), "{words:?}: {}", said.1);
        outcome.out()
    }

    fn make_rootfs(&self) -> String {
        let root = self.tool.directory().join("box");
        for name in ["bin", "etc", "tmp", "proc", "sys", "dev", "data"] {
            fs::create_dir_all(root.join(name)).expect("a directory");
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
        let applets = [
            "sh", "cat", "echo", "sleep", "true", "false", "dd", "seq", "ls", "mkdir", "yes",
            "head", "touch", "test", "stty", "sync", "rm", "awk",
        ];
        for applet in applets {
            symlink("busybox", root.join("bin").join(applet)).expect("a link");
        }
        fs::write(root.join("data/file"), "copied\n").expect("a file");
        root.to_str().expect("a path in Unicode").to_owned()
    }

    /// The ids of all containers there ever were, finished or not.
    pub(crate) fn ids(&self) -> Vec<String> {
        entries(&self.root.join("containers"))
            .chain(entries(&self.run.join("containers")))
            .filter_map(|path| {
                Some(
                    path.file_name()?
                        .to_str()?
                        .trim_start_matches('.')
                        .to_owned(),
                )
            })
            .collect()
    }

    /// What `engine check` says of this engine, with these further words; others on this machine may have left things, too.
    #[track_caller]
    pub(crate) fn check(&self, ids: &[String], words: &[&str]) -> Vec<String> {
        self.age();
        let ids: Vec<String> = self.ids().into_iter().chain(ids.iter().cloned()).collect();
        let mut all = vec!["engine", "check"];
        all.extend(words);
        let outcome = self.tool(&all);
        assert_eq!(outcome.err(), "");
        let is_ours = |line: &&str| {
            let names = |path: &Path| line.contains(&*path.to_string_lossy());
            names(&self.root) || names(&self.run) || ids.iter().any(|id| line.contains(id.as_str()))
        };
        let lines = outcome.out();
        lines.lines().filter(is_ours).map(str::to_owned).collect()
    }

    /// Makes what is not finished look as if nobody had touched it for an hour: what is younger may be being worked on.
    fn age(&self) {
        let then = SystemTime::now() - Duration::from_secs(3600);
        let containers = entries(&self.root.join("containers"));
        let unfinished = containers.filter(|path| {
            let name = path.file_name().unwrap_or_default();
            name.as_encoded_bytes().starts_with(b".")
        });
        for path in unfinished {
            // It may be deleted at this moment.
            let _ = fs::File::open(&path).and_then(|file| file.set_modified(then));
        }
        for path in entries(&self.root.join("names")) {
            let time = rustix::fs::Timespec {
                tv_sec: then
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .map_or(0, |since| since.as_secs().try_into().unwrap_or(0)),
                tv_nsec: 0,
            };
            let times = rustix::fs::Timestamps {
                last_access: time,
                last_modification: time,
            };
            let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
            let _ = rustix::fs::utimensat(rustix::fs::CWD, &path, &times, flags);
        }
    }

    /// What lies where containers, their names and their sockets do, and in their cgroups.
    pub(crate) fn leftovers(&self, ids: &[String]) -> Vec<PathBuf> {
        entries(&self.root.join("containers"))
            .chain(entries(&self.root.join("names")))
            .chain(entries(&self.run.join("containers")))
            .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
            .chain(self.groups(ids))
            .collect()
    }

    /// The cgroups of containers that are there.
    pub(crate) fn groups(&self, ids: &[String]) -> Vec<PathBuf> {
        let parents = ["/sys/fs/cgroup/tool".into()]
            .into_iter()
            .chain(entries(Path::new("/sys/fs/cgroup")).map(|hierarchy| hierarchy.join("tool")));
        parents
            .flat_map(|parent: PathBuf| ids.iter().map(move |id| parent.join(id)))
            .filter(|path| path.exists())
            .collect()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        for id in entries(&self.root.join("containers")) {
            if let Some(id) = id.file_name().and_then(|name| name.to_str()) {
                self.tool(&["rm", "--force", "--volumes", id]);
            }
        }
        // Without a root, the bridge and what else there is belongs to nobody.
        let _ = fs::remove_dir_all(&self.root);
        self.tool(&["engine", "check", "--repair"]);
        let _ = fs::remove_dir_all(&self.root);
        let _ = fs::remove_dir_all(&self.run);
    }
}

/// What lies in a directory, if there is one.
pub(crate) fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Asks again and again, and says whether it came to that in time.
pub(crate) fn until(mut ask: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        match ask() {
            true => return true,
            false if start.elapsed() > TIMEOUT => return false,
            false => thread::sleep(Duration::from_millis(2)),
        }
    }
}
