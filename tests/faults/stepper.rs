//! Kills a process at a chosen system call.
//!
//! The steps are its system calls: what a kill leaves behind depends on nothing else, since whatever a process is about to
//! do is only done by the next of them. So the program under test is the one that is shipped, with no places in it that a
//! test knows by name, and none is forgotten when the program changes. It is traced with `ptrace`, and so is nobody else:
//! the processes that it starts are let go before they do anything.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use harness::TIMEOUT;
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What a monitor is called.
const MONITOR: &[u8] = b"tool-monitor";

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The command itself.
    Command,
    /// The first monitor that it starts.
    Monitor,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Stepped {
    /// The system call before which the victim was killed; nothing if it made fewer.
    pub(crate) killed: Option<&'static str>,
    /// The command's exit code; nothing if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the command to its end with nothing on standard input, and kills the victim right before its step of that number.
/// Both have ended then. `beside` runs at the same time.
///
/// # Panics
/// If they take longer than a test waits for anything.
#[track_caller]
pub(crate) fn run(
    command: &Command,
    directory: &Path,
    victim: Victim,
    step: usize,
    beside: impl FnOnce(Pid) + Send,
) -> Stepped {
    let file = |name: &str| directory.join(name);
    let output = |name: &str| File::create(file(name)).expect("a file for output");
    // It waits for a line until it is traced.
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "read -r _ && exec \"$@\" </dev/null", "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(command.get_current_dir().expect("a directory"))
        .stdin(Stdio::piped())
        .stdout(output("stdout"))
        .stderr(output("stderr"));
    #[expect(clippy::zombie_processes, reason = "following it waits for it")]
    let mut child = shell.spawn().expect("a shell");
    let first = Pid::from_raw(i32::try_from(child.id()).expect("a number of a process"));
    ptrace::seize(first, options()).expect("a process of our own can be traced");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"\n").expect("it reads");
    drop(stdin);
    let mut trace = Trace::new(first, victim, step);
    let late = trace.follow_beside(|| beside(first));
    let read = |name: &str| fs::read_to_string(file(name)).expect("text");
    let stepped = Stepped {
        killed: trace.killed,
        code: trace.code,
        out: read("stdout"),
        err: read("stderr"),
    };
    assert!(
        !late,
        "{command:?} does not end, killed at {step}: {stepped:?}"
    );
    stepped
}

/// Kills a process that runs right before its step of that number; after `beside` has run it is killed in any case. Returns
/// the system call, unless it made fewer.
///
/// # Panics
/// If that takes longer than a test waits for anything.
#[track_caller]
pub(crate) fn meet(victim: Pid, step: usize, beside: impl FnOnce() + Send) -> Option<&'static str> {
    ptrace::seize(victim, options()).expect("root may trace it");
    ptrace::interrupt(victim).expect("it is traced");
    let mut trace = Trace::new(victim, Victim::Command, step);
    trace.target = Some(victim);
    let late = trace.follow_beside(|| {
        beside();
        let _ = kill(victim, Signal::SIGKILL);
    });
    assert!(!late, "process {victim} does not end, killed at {step}");
    trace.killed
}

fn options() -> Options {
    Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_EXITKILL
}

struct Trace {
    first: Pid,
    victim: Victim,
    step: usize,
    /// The victim, once it runs.
    target: Option<Pid>,
    /// Of each thread of the victim, whether it is in a system call.
    inside: HashMap<Pid, bool>,
    count: usize,
    killed: Option<&'static str>,
    code: Option<i32>,
}

impl Trace {
    fn new(first: Pid, victim: Victim, step: usize) -> Trace {
        Trace {
            first,
            victim,
            step,
            target: None,
            inside: HashMap::new(),
            count: 0,
            killed: None,
            code: None,
        }
    }

    /// Follows until all that is traced has ended, and says whether it had to be ended for taking too long.
    fn follow_beside(&mut self, beside: impl FnOnce() + Send) -> bool {
        let (ended, end) = mpsc::channel::<()>();
        let first = self.first;
        thread::scope(|scope| {
            scope.spawn(beside);
            let watch = scope.spawn(move || {
                let late = end.recv_timeout(TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout);
                if late {
                    let _ = kill(first, Signal::SIGKILL);
                }
                late
            });
            self.follow();
            drop(ended);
            watch.join().expect("a thread that does not panic")
        })
    }

    /// Follows until all that is traced has ended.
    fn follow(&mut self) {
        loop {
            // Children of other threads are other tests'.
            let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
            let status = match waitpid(None, Some(flags)) {
                Ok(status) => status,
                Err(Errno::ECHILD) => return,
                Err(Errno::EINTR) => continue,
                Err(error) => panic!("wait for what is traced: {error}"),
            };
            match status {
                WaitStatus::Exited(pid, code) if pid == self.first => self.code = Some(code),
                WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => self.exec(pid),
                WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_STOP) => self.stop(pid),
                WaitStatus::PtraceEvent(pid, ..) => self.go_on(pid, None),
                WaitStatus::PtraceSyscall(pid) => self.syscall(pid),
                WaitStatus::Stopped(pid, signal) => self.go_on(pid, Some(signal)),
                _ => {}
            }
        }
    }

    /// A process runs another program.
    fn exec(&mut self, pid: Pid) {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let program = line.split(|&byte| byte == 0).next().unwrap_or_default();
        match self.victim {
            Victim::Command if pid == self.first => self.target = Some(pid),
            Victim::Monitor if program == MONITOR && self.target.is_none() => {
                self.target = Some(pid);
            }
            // The command may start the victim yet.
            _ if pid == self.first => {}
            _ => return let_go(pid),
        }
        self.go_on(pid, None);
    }

    /// A process or a thread is new, or a signal stops it.
    fn stop(&mut self, pid: Pid) {
        let group = group_of(pid);
        let is_stranger = match self.target {
            Some(target) => group != Some(target) && pid != self.first,
            None => self.victim == Victim::Command && pid != self.first,
        };
        match is_stranger {
            true => let_go(pid),
            false => self.go_on(pid, None),
        }
    }

    fn syscall(&mut self, pid: Pid) {
        let inside = self.inside.entry(pid).or_default();
        *inside = !*inside;
        if *inside
            && self.killed.is_none()
            && let Some(name) = step(pid)
        {
            self.count += 1;
            if self.count == self.step {
                self.killed = Some(name);
                let target = self.target.expect("only the victim's calls are seen");
                kill(target, Signal::SIGKILL).expect("it is there: it is traced");
                return;
            }
        }
        self.go_on(pid, None);
    }

    fn go_on(&self, pid: Pid, signal: Option<Signal>) {
        let is_target = self.target.is_some() && group_of(pid) == self.target;
        // Whatever is killed meanwhile is not there any more.
        let _ = match is_target && self.killed.is_none() {
            true => ptrace::syscall(pid, signal),
            false => ptrace::cont(pid, signal),
        };
    }
}

fn let_go(pid: Pid) {
    // It may have been killed.
    let _ = ptrace::detach(pid, None);
}

/// The process that a thread is of.
fn group_of(pid: Pid) -> Option<Pid> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok().map(Pid::from_raw)
}

/// A system call's number and its third argument.
#[cfg(target_arch = "x86_64")]
fn call(pid: Pid) -> Option<(i64, u64)> {
    let registers = ptrace::getregs(pid).ok()?;
    let number = i64::try_from(registers.orig_rax).ok()?;
    Some((number, registers.rdx))
}

/// A system call's number and its third argument.
#[cfg(target_arch = "aarch64")]
fn call(pid: Pid) -> Option<(i64, u64)> {
    let registers = ptrace::getregset::<ptrace::regset::NT_PRSTATUS>(pid).ok()?;
    let number = i64::try_from(registers.regs[8]).ok()?;
    Some((number, registers.regs[2]))
}

/// What the call that the thread is about to make is called, if it may change anything outside of the process. Between two
/// such calls every moment is like every other.
fn step(pid: Pid) -> Option<&'static str> {
    let (number, flags) = call(pid)?;
    let makes = u64::from((libc::O_CREAT | libc::O_TRUNC).unsigned_abs());
    let name = match number {
        libc::SYS_openat if flags & makes != 0 => "openat",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir => "mkdir",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rmdir => "rmdir",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink => "unlink",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename => "rename",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_symlink => "symlink",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_link => "link",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork => "fork",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork => "vfork",
        libc::SYS_mkdirat => "mkdirat",
        libc::SYS_mknodat => "mknodat",
        libc::SYS_unlinkat => "unlinkat",
        libc::SYS_symlinkat => "symlinkat",
        libc::SYS_linkat => "linkat",
        libc::SYS_renameat2 => "renameat2",
        libc::SYS_renameat => "renameat",
        libc::SYS_ftruncate => "ftruncate",
        libc::SYS_copy_file_range => "copy_file_range",
        libc::SYS_sendfile => "sendfile",
        libc::SYS_write => "write",
        libc::SYS_writev => "writev",
        libc::SYS_pwrite64 => "pwrite64",
        libc::SYS_sendto => "sendto",
        libc::SYS_sendmsg => "sendmsg",
        libc::SYS_shutdown => "shutdown",
        libc::SYS_connect => "connect",
        libc::SYS_bind => "bind",
        libc::SYS_flock => "flock",
        libc::SYS_mount => "mount",
        libc::SYS_umount2 => "umount2",
        libc::SYS_move_mount => "move_mount",
        libc::SYS_open_tree => "open_tree",
        libc::SYS_unshare => "unshare",
        libc::SYS_setns => "setns",
        libc::SYS_clone => "clone",
        libc::SYS_clone3 => "clone3",
        libc::SYS_kill => "kill",
        libc::SYS_pidfd_send_signal => "pidfd_send_signal",
        libc::SYS_bpf => "bpf",
        libc::SYS_exit_group => "exit_group",
        _ => return None,
    };
    Some(name)
}

/// The monitor of the container with that id.
///
/// # Panics
/// If it has none.
#[track_caller]
pub(crate) fn monitor_of(id: &str) -> Pid {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let monitor = pids.find(|pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|&byte| byte == 0);
        words.next() == Some(MONITOR) && words.any(|word| word == id.as_bytes())
    });
    Pid::from_raw(monitor.expect("a monitor"))
}

/// All monitors of the engine with its state there.
pub(crate) fn monitors(root: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|&byte| byte == 0);
        words.next() == Some(MONITOR) && words.next() == Some(root.as_os_str().as_encoded_bytes())
    })
    .map(Pid::from_raw)
    .collect()
}

/// Whether a process is there that has not ended.
pub(crate) fn is_there(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Asks a process to end; one that is gone is fine.
pub(crate) fn terminate(pid: Pid) {
    let _ = kill(pid, Signal::SIGTERM);
}
