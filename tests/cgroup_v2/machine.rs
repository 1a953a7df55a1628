//! A virtual machine with cgroup v2 alone, and the program in it.
//!
//! It is emulated, so it needs no right of anybody's and no hardware, and takes some time: all cases run one after another
//! on one machine, which is started by whichever test asks first.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Case, cases};

/// How long the machine may take for all: several times what it takes on two busy processors.
const PATIENCE: Duration = Duration::from_secs(400);

/// What the containers need of the kernel that Debian did not link into it, in the order in which they load.
const MODULES: [&str; 4] = [
    "kernel/fs/overlayfs/overlay.ko",
    "kernel/crypto/lzo-rle.ko",
    "kernel/mm/zsmalloc.ko",
    "kernel/drivers/block/zram/zram.ko",
];

/// What a case wrote, standard output and error together, and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) code: i32,
    pub(crate) text: String,
}

/// Why there is nothing to see.
pub(crate) enum Trouble {
    /// What this machine lacks for another one in it.
    Lacks(String),
    /// What the other one wrote, which did not come to its end.
    Stuck(String),
}

/// What the machine did in all cases.
pub(crate) fn seen() -> Result<&'static BTreeMap<String, Seen>, &'static Trouble> {
    static SEEN: OnceLock<Result<BTreeMap<String, Seen>, Trouble>> = OnceLock::new();
    SEEN.get_or_init(|| {
        let parts = Parts::find().map_err(Trouble::Lacks)?;
        run(&parts).map_err(Trouble::Stuck)
    })
    .as_ref()
}

/// What a machine is made of.
struct Parts {
    emulator: PathBuf,
    busybox: PathBuf,
    kernel: PathBuf,
    modules: PathBuf,
}

impl Parts {
    fn find() -> Result<Parts, String> {
        let program = |name: &str, package: &str| {
            harness::find_program(name).ok_or_else(|| format!("{name} (Debian: {package})"))
        };
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/kernel");
        let missing = "a kernel in target/kernel, where tests/cgroup_v2/kernel.sh puts one";
        let only = |directory: &str, prefix: &str| {
            let entries = fs::read_dir(place.join(directory)).into_iter().flatten();
            let mut paths = entries.flatten().map(|entry| entry.path());
            let is_it = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(prefix)
            };
            paths.find(is_it).ok_or_else(|| missing.to_owned())
        };
        if !cfg!(target_arch = "x86_64") {
            return Err("an x86_64 machine".to_owned());
        }
        Ok(Parts {
            emulator: program("qemu-system-x86_64", "qemu-system-x86")?,
            busybox: program("busybox", "busybox-static")?,
            kernel: only("boot", "vmlinuz-")?,
            modules: only("lib/modules", "")?,
        })
    }

    /// The archive that the kernel unpacks as its first file system.
    fn archive(&self, directory: &Path) -> PathBuf {
        let root = directory.join("root");
        for name in ["bin", "modules", "cases/root", "cases/ordinary"] {
            fs::create_dir_all(root.join(name)).expect("a directory");
        }
        fs::copy(&self.busybox, root.join("bin/busybox")).expect("a copy");
        std::os::unix::fs::symlink("busybox", root.join("bin/sh")).expect("a link");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cgroup_v2");
        fs::copy(source.join("init.sh"), root.join("init")).expect("a copy");
        fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755)).expect("a mode");
        // Without what debuggers read the program has a third of its size.
        succeed(
            Command::new("strip")
                .arg("-o")
                .arg(root.join("bin/tool"))
                .arg(env!("CARGO_BIN_EXE_tool")),
        );
        succeed(
            Command::new("cc")
                .args(["-static", "-o"])
                .arg(root.join("bin/request"))
                .arg(source.join("request.c")),
        );
        let mut list = String::new();
        for module in MODULES {
            let name = module.rsplit('/').next().unwrap_or(module);
            fs::copy(self.modules.join(module), root.join("modules").join(name))
                .unwrap_or_else(|error| panic!("{module} of this kernel: {error}"));
            list += &format!("{name}\n");
        }
        fs::write(root.join("modules/list"), list).expect("a file");
        let mut list = String::new();
        for Case { name, script, .. } in cases() {
            fs::write(root.join("cases").join(name), script).expect("a file");
            list += &format!("{name}\n");
        }
        fs::write(root.join("cases/list"), list).expect("a file");

        let archive = directory.join("archive");
        let script = "find . | \"$0\" cpio -o -H newc -R 0:0 2>/dev/null";
        succeed(
            Command::new("sh")
                .args(["-c", script])
                .arg(&self.busybox)
                .current_dir(&root)
                .stdout(File::create(&archive).expect("a file")),
        );
        archive
    }
}

#[track_caller]
fn succeed(command: &mut Command) {
    let status = command.status();
    assert!(
        status.as_ref().is_ok_and(|status| status.success()),
        "{command:?}: {status:?}"
    );
}

/// A running machine, which ends with this.
struct Machine {
    child: Child,
    directory: TempDir,
}

impl Machine {
    fn start(parts: &Parts) -> Machine {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |name: &str| format!("file:{}", directory.path().join(name).display());
        let child = Command::new(&parts.emulator)
            .args(["-accel", "tcg,thread=multi", "-smp", "2", "-m", "768"])
            .args(["-nodefaults", "-display", "none", "-no-reboot"])
            .args(["-serial", &file("console"), "-serial", &file("results")])
            .args([
                "-append",
                "console=ttyS0 quiet panic=-1 cgroup_no_v1=all random.trust_cpu=on",
            ])
            .arg("-kernel")
            .arg(&parts.kernel)
            .arg("-initrd")
            .arg(parts.archive(directory.path()))
            .stdin(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        Machine { child, directory }
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.directory.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It has ended, or is of no use any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(parts: &Parts) -> Result<BTreeMap<String, Seen>, String> {
    let start = Instant::now();
    let mut machine = Machine::start(parts);
    while start.elapsed() < PATIENCE {
        match machine.child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(100)),
            _ => break,
        }
    }
    let results = machine.read("results");
    let ended = parse(&results);
    ended.ok_or_else(|| format!("{}\n{results}", machine.read("console")))
}

/// What cases wrote, each behind a line `case NAME STATUS BYTES`, up to the line that ends all; nothing if that is missing.
fn parse(mut results: &str) -> Option<BTreeMap<String, Seen>> {
    let mut all = BTreeMap::new();
    loop {
        let (line, rest) = results.split_once('\n')?;
        if line == "the end" {
            return Some(all);
        }
        let mut words = line.strip_prefix("case ")?.split(' ');
        let name = words.next()?.to_owned();
        let code = words.next()?.parse().ok()?;
        let (text, rest) = rest.split_at_checked(words.next()?.parse().ok()?)?;
        let text = text.to_owned();
        all.insert(name, Seen { code, text });
        results = rest;
    }
}
