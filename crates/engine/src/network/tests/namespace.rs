//! Network namespaces of the tests' own.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace that a process holds; it is gone when this is dropped.
pub(super) struct Namespace {
    holder: Child,
    file: File,
}

impl Namespace {
    /// A new one, or nothing for a user who may make none.
    pub(super) fn new() -> Option<Namespace> {
        const TEST: &str = "the test of a network";
        if !geteuid().is_root() {
            return harness::left_out(TEST, "to be root");
        }
        for (program, package) in [
            ("unshare", "util-linux"),
            ("ip", "iproute2"),
            ("nft", "nftables"),
            ("iptables-restore", "iptables"),
        ] {
            if crate::program::find(program).is_none() {
                return harness::left_out(TEST, &format!("{program} (Debian: {package})"));
            }
        }
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        // The line comes from inside.
        let mut line = [0];
        holder
            .stdout
            .as_mut()
            .expect("a pipe")
            .read_exact(&mut line)
            .expect("a namespace");
        let file = File::open(format!("/proc/{}/ns/net", holder.id())).expect("a namespace");
        Some(Namespace { holder, file })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The namespace, for threads that stay.
    pub(super) fn file(&self) -> File {
        self.file.try_clone().expect("a descriptor")
    }

    /// Takes this thread there until the guard is dropped.
    pub(super) fn enter(&self) -> Entered {
        let own = File::open("/proc/thread-self/ns/net").expect("a namespace");
        move_into_link_name_space(self.fd(), Some(LinkNameSpaceType::Network))
            .expect("a namespace");
        Entered { own }
    }

    /// A process in it, by whose number other programs name it.
    pub(super) fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// What a closure returns that runs there, on a thread of its own.
    pub(super) fn run<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let _entered = self.enter();
                act()
            });
            running.join().expect("no panic")
        })
    }

    /// What a command says that runs there.
    pub(super) fn output(&self, words: &[&str]) -> String {
        let _entered = self.enter();
        let output = Command::new(words[0])
            .args(&words[1..])
            .output()
            .expect("a program");
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// This thread is in another namespace.
pub(super) struct Entered {
    own: File,
}

impl Drop for Entered {
    fn drop(&mut self) {
        move_into_link_name_space(self.own.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("the thread's own namespace");
    }
}
