//! The network of containers of an ordinary user, with packets.
//!
//! Each test is a process of an ordinary user in a machine that root makes: a network namespace with a way out, and a
//! mount namespace in which programs can be missing. It is this program again, which is what `main` is there for; the
//! engine starts it under other names, too.

mod carried;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::geteuid;

/// A test, its name, and the programs that its machine has not.
type Test = (&'static str, &'static [&'static str], fn());

/// Makes the machine and becomes the ordinary user. Its arguments are this program, the test's name, and what is missing.
const MACHINE: &str = r#"
set -e
program=$1 test=$2 user=$3
shift 3
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /dev/net
mknod -m 666 /dev/net/tun c 10 200
for missing; do
    path=$(command -v "$missing") || continue
    mount --bind /dev/null "$(readlink -f "$path")"
done
ip link set lo up
ip link add up0 type veth peer name up1
ip link set up1 up
ip address add 198.51.100.2/24 dev up0
ip link set up0 up
ip route add default via 198.51.100.1
exec setpriv --reuid="$user" --regid="$user" --clear-groups -- "$program" --as-user "$test"
"#;

fn main() -> ExitCode {
    reexec::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name] = arguments.as_slice()
        && flag == "--as-user"
    {
        return run(name);
    }
    if arguments.iter().any(|argument| argument == "--list") {
        carried::TESTS
            .iter()
            .for_each(|(name, ..)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if what_is_missing().is_some_and(|missing| {
        harness::left_out::<()>("networks of ordinary users", &missing).is_none()
    }) {
        return ExitCode::SUCCESS;
    }
    // By descriptor, for the ordinary user may not go where it lies.
    let program = File::open("/proc/self/exe").expect("this program");
    fcntl_setfd(&program, FdFlags::empty()).expect("a descriptor");
    let program = format!("/proc/self/fd/{}", program.as_raw_fd());
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let mut failed = Vec::new();
    for (name, missing, _) in carried::TESTS {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let status = Command::new("unshare")
            .args([
                "--mount", "--net", "sh", "-c", MACHINE, "sh", &program, name, USER,
            ])
            .args(*missing)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .status()
            .expect("unshare");
        let word = if status.success() { "ok" } else { "FAILED" };
        println!("test {name} ... {word}");
        if !status.success() {
            failed.push(name);
        }
    }
    // Where that user's engines had their runtime directories.
    let _ = std::fs::remove_dir_all(format!("/tmp/tool-{USER}"));
    println!("{} failed: {failed:?}", failed.len());
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What this machine lacks for the tests.
fn what_is_missing() -> Option<String> {
    if !geteuid().is_root() {
        return Some("to be root".to_owned());
    }
    let directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    [
        ("unshare", "util-linux"),
        ("ip", "iproute2"),
        ("pasta", "passt"),
        ("slirp4netns", "slirp4netns"),
        ("socat", "socat"),
    ]
    .into_iter()
    .find(|(program, _)| {
        !directories
            .iter()
            .any(|directory| Path::new(directory).join(program).exists())
    })
    .map(|(program, package)| format!("{program} (Debian: {package})"))
}

/// The user that the tests are run as, whom nobody else is.
const USER: &str = "64123";

fn run(name: &str) -> ExitCode {
    let test = carried::TESTS.iter().find(|(other, ..)| *other == name);
    let Some((_, _, test)) = test else {
        eprintln!("there is no test {name}");
        return ExitCode::FAILURE;
    };
    match std::panic::catch_unwind(test) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
