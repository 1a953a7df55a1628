use std::process::{Child, Command};

use bollard_stubs::models::HostConfig;

use super::*;

/// The machine's cgroups, if this user can make some.
fn host() -> Option<Host> {
    let host = Host::detect().expect("cgroups");
    if let Some(refusal) = host.refusal() {
        eprintln!("not tested here: {refusal}");
        return None;
    }
    Some(host)
}

fn create(host: &Host, name: &str, config: HostConfig) -> Cgroup {
    let id = format!("test-{name}-{}", std::process::id());
    let limits = Limits::of(&config, host, &mut Vec::new()).expect("limits");
    Cgroup::create(
        host,
        Some("tool-test"),
        &id,
        &limits,
        &DeviceRule::defaults(),
    )
    .expect("cgroups")
}

/// A shell that joins, says in which cgroups it is and then runs the words.
fn joined(group: &Cgroup, script: &str) -> Child {
    let joins: Vec<String> = group
        .join()
        .files
        .iter()
        .map(|file| format!("echo 0 > {}", file.display()))
        .collect();
    Command::new("sh")
        .arg("-c")
        .arg(format!("{} && {script}", joins.join(" && ")))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a shell")
}

fn output(child: Child) -> String {
    String::from_utf8(child.wait_with_output().expect("an end").stdout).expect("text")
}

#[test]
fn a_process_joins_is_counted_and_leaves() {
    let Some(host) = host() else { return };
    let mut group = create(&host, "join", HostConfig::default());
    let said = output(joined(&group, "cat /proc/self/cgroup"));
    for part in &group.parts {
        let expected = format!("/tool-test/{}", part.name);
        assert!(said.lines().any(|line| line.ends_with(&expected)), "{said}");
    }
    let mut child = joined(&group, "exec sleep 100");
    for _ in 0..1000 {
        if group.pids().expect("pids").len() == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(
        group.pids().expect("pids")[0]
            .as_raw_nonzero()
            .get()
            .cast_unsigned(),
        child.id()
    );
    let stats = group.stats().expect("figures");
    if host.has("pids") {
        assert!(stats.pids >= 1);
    }
    group.freeze().expect("frozen");
    group.thaw().expect("thawed");
    group.kill().expect("killed");
    assert!(!child.wait().expect("an end").success());
    group.remove().expect("removed");
    assert!(group.parts.is_empty());
}

#[test]
fn devices_are_ruled() {
    let Some(host) = host() else { return };
    if host.is_delegated() {
        return;
    }
    let mut group = create(&host, "devices", HostConfig::default());
    let node = std::env::temp_dir().join(format!("kmsg-{}", std::process::id()));
    let path = node.display();
    let script = format!(
        "head -c 1 /dev/zero >/dev/null && echo zero; mknod {path} c 1 11 && echo made; head -c 1 {path} 2>/dev/null >/dev/null || echo refused; rm -f {path}"
    );
    assert_eq!(output(joined(&group, &script)), "zero\nmade\nrefused\n");
    group.remove().expect("removed");
}

#[test]
fn limits_are_written_and_hold() {
    let Some(host) = host() else { return };
    if !host.has("memory") || !host.has("pids") {
        return;
    }
    let config = HostConfig {
        memory: Some(16 << 20),
        memory_swap: Some(16 << 20),
        nano_cpus: Some(500_000_000),
        cpu_shares: Some(512),
        pids_limit: Some(9),
        ..HostConfig::default()
    };
    let mut group = create(&host, "limits", config);
    assert_eq!(group.stats().expect("figures").memory_limit, Some(16 << 20));
    let killed = joined(&group, "head -c 64m /dev/zero | tail -c 60m")
        .wait()
        .expect("an end");
    assert!(!killed.success());
    assert!(group.oom_kills().expect("a number") >= 1);
    group.set_pids_max(Some(1)).expect("a limit");
    assert_eq!(group.stats().expect("figures").pids_limit, Some(1));
    let said = output(joined(&group, "(true) 2>/dev/null || echo refused"));
    assert!(said.is_empty() || said.contains("refused"), "{said}");
    group.set_pids_max(None).expect("no limit");
    assert_eq!(group.stats().expect("figures").pids_limit, None);
    group.remove().expect("removed");
}

#[test]
fn what_the_container_made_below_goes_too() {
    let Some(host) = host() else { return };
    let mut group = create(&host, "nested", HostConfig::default());
    for part in &group.parts {
        std::fs::create_dir_all(part.directory.path.join("a/b")).expect("cgroups below");
    }
    let id = group.parts[0].name.clone();
    let mut again = Cgroup::open(&host, Some("tool-test"), &id)
        .expect("an answer")
        .expect("the same");
    assert_eq!(again.binds(), group.binds());
    again.remove().expect("removed");
    group.remove().expect("gone already");
    assert!(
        Cgroup::open(&host, Some("tool-test"), &id)
            .expect("an answer")
            .is_none()
    );
}

/// The tests above once more where version 2 is all there is: a mount namespace of their own shows them nothing else. A
/// hybrid machine leaves version 2 few controllers, so limits are tested there as far as it has them.
#[test]
fn version_2_does_the_same() {
    if !rustix::process::geteuid().is_root() || host().is_none_or(|host| host.is_unified()) {
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-e", "-c"])
        .arg("umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"")
        .arg("sh")
        .arg(program)
        .args(["cgroup::group::tests", "--skip", "version_2", "--nocapture"])
        .output()
        .expect("unshare");
    let said = String::from_utf8_lossy(&status.stdout);
    assert!(
        status.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&status.stderr)
    );
    assert!(said.contains("devices_are_ruled ... ok"), "{said}");
    assert!(!said.contains("not tested here"), "{said}");
}

#[test]
fn a_parent_is_a_path_of_names() {
    for (parent, path) in [
        (None, "tool"),
        (Some(""), "tool"),
        (Some("/a/b"), "a/b"),
        (Some("a.slice"), "a.slice"),
    ] {
        assert_eq!(parent_path(parent).expect("a path"), Path::new(path));
    }
    for parent in ["/", ".", "../a", "a/../..", "a\n"] {
        let error = parent_path(Some(parent)).expect_err(parent);
        assert_eq!(error.status(), 400);
    }
}
