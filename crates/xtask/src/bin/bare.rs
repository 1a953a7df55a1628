//! What no engine can save: one clone3(2), the mounts of a container under Docker's defaults, an overlay, cgroups, and the
//! program. `cargo xtask engine` measures it beside the engines.
//!
//! It checks nothing, takes no options, keeps no state and reports no failure but its own. It knows the cgroups of both
//! versions, as half of its time goes there.

// SAFETY of the blocks below: the process has one thread throughout, so a child of clone3(2) without CLONE_VM may do
// whatever this process could.
#![allow(unsafe_code)]

use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat, open};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};
use rustix::process::{WaitId, WaitIdOptions, chdir, pivot_root, waitid};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bare: {error:#}");
            ExitCode::from(125)
        }
    }
}

/// `bare none|host LAYER SCRATCH PROGRAM [ARGUMENT...]`: runs a program over the directory LAYER; SCRATCH is made, and
/// gone afterwards.
fn run() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || arguments.next().context("an argument is missing");
    let network = next()?;
    let (layer, scratch) = (PathBuf::from(next()?), PathBuf::from(next()?));
    let program: Vec<CString> = arguments
        .map(|word| CString::new(word.into_vec()))
        .collect::<Result<_, _>>()?;
    ensure!(!program.is_empty(), "there is no program to run");

    fs::create_dir(&scratch).context("make the scratch directory")?;
    for name in ["upper", "work", "root"] {
        fs::create_dir(scratch.join(name))?;
    }
    for name in FILES {
        fs::write(scratch.join(name), "127.0.0.1 localhost\n")?;
    }
    let cgroups = Cgroups::make()?;
    let mut flags =
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if network == "none" {
        flags |= libc::CLONE_NEWNET;
    }
    let Some(child) = clone(flags, &cgroups)? else {
        let error = become_program(&layer, &scratch, &cgroups, &program);
        eprintln!("bare: {error:#}");
        // SAFETY: the call takes an integer and does not return.
        unsafe { libc::_exit(126) }
    };
    let status = waitid(
        WaitId::PidFd(std::os::fd::AsFd::as_fd(&child)),
        WaitIdOptions::EXITED,
    )?
    .and_then(|status| status.exit_status())
    .unwrap_or(255);
    cgroups.remove()?;
    fs::remove_dir_all(&scratch)?;
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(255)))
}

/// The files that a container has over those of its image.
const FILES: [&str; 3] = ["hosts", "hostname", "resolv.conf"];

/// The directories of one container, one a hierarchy.
struct Cgroups {
    directories: Vec<PathBuf>,
    unified: Option<OwnedFd>,
}

impl Cgroups {
    fn make() -> anyhow::Result<Cgroups> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let name = format!("bare-{}", std::process::id());
        let of_kind = |kind: &str| -> Vec<PathBuf> {
            mounts
                .lines()
                .filter_map(|line| {
                    let mut fields = line.split(' ');
                    let place = fields.nth(1)?;
                    (fields.next() == Some(kind)).then(|| Path::new(place).join(&name))
                })
                .collect()
        };
        let mut directories = of_kind("cgroup");
        let is_unified = directories.is_empty();
        if is_unified {
            directories = of_kind("cgroup2");
            directories.truncate(1);
        }
        for directory in &directories {
            fs::create_dir(directory)?;
            // Without processors and memory nothing can join.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let (own, above) = (directory.join(file), directory.with_file_name(file));
                if !is_unified && own.exists() {
                    fs::write(own, fs::read(above)?)?;
                }
            }
        }
        let unified = match directories.first() {
            Some(directory) if is_unified => Some(open(
                directory,
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )?),
            _ => None,
        };
        Ok(Cgroups {
            directories,
            unified,
        })
    }

    /// On version 2 the kernel did it.
    fn join(&self) -> io::Result<()> {
        if self.unified.is_some() {
            return Ok(());
        }
        self.directories
            .iter()
            .try_for_each(|directory| fs::write(directory.join("tasks"), "0"))
    }

    fn remove(&self) -> io::Result<()> {
        self.directories.iter().try_for_each(fs::remove_dir)
    }
}

/// The kernel's `struct clone_args`.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Forks into new namespaces. The child gets nothing, the parent the child.
fn clone(namespaces: libc::c_int, cgroups: &Cgroups) -> anyhow::Result<Option<OwnedFd>> {
    const CLONE_INTO_CGROUP: u64 = 1 << 33;
    let mut child: libc::c_int = -1;
    let mut arguments = CloneArguments {
        flags: u64::try_from(namespaces | libc::CLONE_PIDFD)?,
        pidfd: (&raw mut child) as u64,
        exit_signal: u64::try_from(libc::SIGCHLD)?,
        ..CloneArguments::default()
    };
    if let Some(directory) = &cgroups.unified {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::try_from(directory.as_raw_fd())?;
    }
    // SAFETY: the structure is as large as is said, and the pointer in it leads to a descriptor's worth of memory.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut arguments,
            size_of::<CloneArguments>(),
        )
    };
    match result {
        0 => Ok(None),
        // SAFETY: the kernel just made this descriptor, so nobody else has it.
        1.. => Ok(Some(unsafe { std::os::fd::FromRawFd::from_raw_fd(child) })),
        _ => bail!("clone3: {}", io::Error::last_os_error()),
    }
}

/// What the child does; returns why it failed.
fn become_program(
    layer: &Path,
    scratch: &Path,
    cgroups: &Cgroups,
    program: &[CString],
) -> anyhow::Error {
    let made = cgroups
        .join()
        .context("join the cgroups")
        .and_then(|()| enter_root(layer, scratch).context("mount"));
    if let Err(error) = made {
        return error;
    }
    let pointers = |words: &[CString]| -> Vec<*const libc::c_char> {
        let ends = std::iter::once(std::ptr::null());
        words.iter().map(|word| word.as_ptr()).chain(ends).collect()
    };
    let path = [c"PATH=/bin".to_owned()];
    // SAFETY: all pointers lead to strings that end, and both lists end with a null pointer.
    unsafe {
        libc::execve(
            program[0].as_ptr(),
            pointers(program).as_ptr(),
            pointers(&path).as_ptr(),
        )
    };
    anyhow::Error::new(io::Error::last_os_error()).context("execve")
}

fn enter_root(layer: &Path, scratch: &Path) -> anyhow::Result<()> {
    let none = MountFlags::empty();
    let careful = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    let root = scratch.join("root");
    let options = format!(
        "lowerdir={},upperdir={},workdir={},volatile",
        layer.display(),
        scratch.join("upper").display(),
        scratch.join("work").display()
    );
    mount(
        "overlay",
        &root,
        "overlay",
        none,
        Some(&*CString::new(options)?),
    )?;
    let at = |path: &str| root.join(path);
    for directory in ["proc", "dev", "sys"] {
        match fs::create_dir(at(directory)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
    }
    mount("proc", at("proc"), "proc", careful, None)?;
    mount(
        "tmpfs",
        at("dev"),
        "tmpfs",
        MountFlags::NOSUID,
        Some(c"mode=755,size=65536k"),
    )?;
    for directory in ["pts", "shm", "mqueue"] {
        fs::create_dir(at("dev").join(directory))?;
    }
    let pts = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount(
        "devpts",
        at("dev/pts"),
        "devpts",
        pts,
        Some(c"newinstance,ptmxmode=0666,mode=0620,gid=5"),
    )?;
    mount("mqueue", at("dev/mqueue"), "mqueue", careful, None)?;
    mount(
        "shm",
        at("dev/shm"),
        "tmpfs",
        careful,
        Some(c"mode=1777,size=65536k"),
    )?;
    mount(
        "sysfs",
        at("sys"),
        "sysfs",
        careful | MountFlags::RDONLY,
        None,
    )?;
    view_cgroups(&at("sys/fs/cgroup"), careful)?;
    for name in FILES {
        fs::write(at("etc").join(name), "")?;
        mount_bind(scratch.join(name), at("etc").join(name))?;
    }
    for (name, minor) in [
        ("null", 3),
        ("zero", 5),
        ("full", 7),
        ("random", 8),
        ("urandom", 9),
    ] {
        make_device(&at("dev").join(name), 1, minor)?;
    }
    make_device(&at("dev/tty"), 5, 0)?;
    for (target, name) in [
        ("/proc/self/fd", "dev/fd"),
        ("/proc/self/fd/0", "dev/stdin"),
        ("/proc/self/fd/1", "dev/stdout"),
        ("/proc/self/fd/2", "dev/stderr"),
        ("pts/ptmx", "dev/ptmx"),
    ] {
        symlink(target, at(name))?;
    }
    chdir(&root)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    for path in ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"] {
        mount_bind(path, path)?;
        mount_remount(path, MountFlags::BIND | MountFlags::RDONLY | careful, c"")?;
    }
    for path in [
        "/proc/kcore",
        "/proc/keys",
        "/proc/timer_list",
        "/proc/interrupts",
    ] {
        if Path::new(path).exists() {
            mount_bind("/dev/null", path)?;
        }
    }
    for path in ["/proc/acpi", "/sys/firmware"] {
        if Path::new(path).exists() {
            mount("tmpfs", path, "tmpfs", MountFlags::RDONLY, None)?;
        }
    }
    Ok(rustix::system::sethostname(b"bare")?)
}

/// What a container sees of its cgroups, read-only.
fn view_cgroups(place: &Path, flags: MountFlags) -> anyhow::Result<()> {
    // In a cgroup namespace of its own; here its root is the machine's, which costs the same.
    let v1: Vec<OsString> = fs::read_to_string("/proc/self/cgroup")?
        .lines()
        .filter_map(|line| line.split(':').nth(1))
        .filter(|controllers| !controllers.is_empty())
        .map(OsString::from)
        .collect();
    if v1.is_empty() {
        return Ok(mount(
            "cgroup2",
            place,
            "cgroup2",
            flags | MountFlags::RDONLY,
            None,
        )?);
    }
    mount("tmpfs", place, "tmpfs", flags, Some(c"mode=755"))?;
    for controllers in v1 {
        let below = place.join(&controllers);
        fs::create_dir(&below)?;
        let options = CString::new(controllers.into_vec())?;
        mount(
            "cgroup",
            &below,
            "cgroup",
            flags | MountFlags::RDONLY,
            Some(&*options),
        )?;
    }
    Ok(())
}

fn make_device(path: &Path, major: u32, minor: u32) -> anyhow::Result<()> {
    let mode = Mode::from_raw_mode(0o666);
    mknodat(
        CWD,
        path,
        FileType::CharacterDevice,
        mode,
        makedev(major, minor),
    )
    .with_context(|| format!("make {}", path.display()))
}
