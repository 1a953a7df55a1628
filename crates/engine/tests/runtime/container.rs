//! A container's first process: what it is, sees and may do.

use bollard_stubs::models::{ContainerCreateBody, HostConfig};

use crate::Test;
use crate::machine::{Machine, Outcome, shell};

pub(crate) const TESTS: &[Test] = &[
    ("a_program_runs_and_ends", a_program_runs_and_ends),
    (
        "root_has_docker_s_capabilities",
        root_has_docker_s_capabilities,
    ),
    ("another_user_has_none", another_user_has_none),
    ("a_process_starts_clean", a_process_starts_clean),
    ("namespaces_are_its_own", namespaces_are_its_own),
    ("devices_are_refused", devices_are_refused),
    ("paths_are_hidden", paths_are_hidden),
    ("its_cgroups_show", its_cgroups_show),
    ("processes_are_limited", processes_are_limited),
    ("privileged_is_privileged", privileged_is_privileged),
    ("no_new_privileges_holds", no_new_privileges_holds),
    (
        "the_working_directory_is_made",
        the_working_directory_is_made,
    ),
    ("a_read_only_root_is", a_read_only_root_is),
    ("system_calls_are_filtered", system_calls_are_filtered),
    ("binds_show", binds_show),
    ("dev_can_be_the_user_s", dev_can_be_the_user_s),
];

fn a_program_runs_and_ends() {
    let machine = Machine::new();
    let outcome = machine.sh("echo out; echo err >&2; exit 7");
    assert_eq!(
        outcome,
        Outcome {
            status: 7,
            stdout: "out\n".to_owned(),
            stderr: "err\n".to_owned(),
        }
    );
    assert_eq!(
        machine.sh("kill -9 $$").status,
        0,
        "the first process does not get such signals from inside"
    );
    assert_eq!(machine.sh("sh -c 'kill -9 $$'; echo $?").stdout, "137\n");
}

/// The values of those fields of `/proc/self/status`.
fn status_of(fields: &str) -> String {
    format!(
        "grep -E '^({fields}):' /proc/self/status | while read name value; do echo $name $value; done"
    )
}

fn root_has_docker_s_capabilities() {
    let machine = Machine::new();
    let outcome = machine.sh(&status_of(
        "CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp",
    ));
    assert_eq!(
        outcome.stdout,
        "CapInh: 0000000000000000\nCapPrm: 00000000a80425fb\nCapEff: 00000000a80425fb\nCapBnd: 00000000a80425fb\n\
         CapAmb: 0000000000000000\nNoNewPrivs: 0\nSeccomp: 2\n"
    );
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            cap_add: Some(vec!["NET_ADMIN".to_owned()]),
            cap_drop: Some(vec!["ALL".to_owned()]),
            ..HostConfig::default()
        }),
        ..shell(&status_of("CapEff|CapBnd"))
    });
    assert_eq!(
        outcome.stdout,
        "CapEff: 0000000000001000\nCapBnd: 0000000000001000\n"
    );
}

fn another_user_has_none() {
    let machine = Machine::new();
    let as_user = |user: &str, script: &str| {
        machine.run(ContainerCreateBody {
            user: Some(user.to_owned()),
            ..shell(script)
        })
    };
    let script = format!(
        "id; echo $HOME; {}",
        status_of("CapPrm|CapEff|CapBnd|Groups")
    );
    assert_eq!(
        as_user("user", &script).stdout,
        "uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)\n/home/user\nGroups: 1000 2000\n\
         CapPrm: 0000000000000000\nCapEff: 0000000000000000\nCapBnd: 00000000a80425fb\n"
    );
    assert_eq!(as_user("7:8", "id").stdout, "uid=7 gid=8 groups=8\n");
    assert_eq!(
        as_user("", "id").stdout,
        "uid=0(root) gid=0(root) groups=0(root)\n"
    );
    // What is open is the user's, so it can be opened by name.
    let outcome = as_user(
        "user",
        "echo out > /dev/stdout; echo err > /dev/stderr; cat /etc/shadow",
    );
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("out\n", 1));
    assert!(outcome.stderr.starts_with("err\n"), "{outcome:?}");
}

/// The process that starts a container ignores a signal, blocks another one, and has a mask and descriptors of its own.
fn a_process_starts_clean() {
    let machine = Machine::new();
    // SIGPIPE is ignored by every program that is written in Rust.
    rustix::process::umask(rustix::fs::Mode::RWXU);
    let file = std::fs::File::open("/etc/passwd").expect("a file");
    let inherited = rustix::io::fcntl_dupfd_cloexec(&file, 100).expect("a descriptor");
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).expect("it is inherited");
    let script = format!(
        "{}; umask; ls /proc/self/fd; pwd; cat /proc/self/oom_score_adj",
        status_of("SigBlk|SigIgn|SigCgt|Umask")
    );
    assert_eq!(
        machine.sh(&script).stdout,
        "Umask: 0022\nSigBlk: 0000000000000000\nSigIgn: 0000000000000000\nSigCgt: 0000000000000000\n0022\n\
         0\n1\n2\n3\n/\n0\n",
        "the fourth descriptor is that of the directory listed"
    );
    let outcome = machine.run(ContainerCreateBody {
        cmd: Some(vec!["env".to_owned()]),
        env: Some(vec!["B=2".to_owned(), "A=1".to_owned()]),
        ..ContainerCreateBody::default()
    });
    assert_eq!(
        outcome.stdout,
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOSTNAME=box\nB=2\nA=1\nHOME=/root\n"
    );
}

fn namespaces_are_its_own() {
    let machine = Machine::new();
    let outcome = machine.sh(
        "echo $$; hostname; ls /proc/sys/net/ipv4/conf; ls /dev | grep -v core; echo /proc/[0-9]*",
    );
    assert_eq!(
        outcome.stdout,
        "1\nbox\nall\ndefault\nlo\n\
         fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n/proc/1\n"
    );
    let outcome =
        machine.sh("for kind in mnt pid ipc uts net; do readlink /proc/self/ns/$kind; done");
    for kind in ["mnt", "pid", "ipc", "uts", "net"] {
        let own = std::fs::read_link(format!("/proc/self/ns/{kind}")).expect("a link");
        let own = own.to_str().expect("text");
        assert!(!outcome.stdout.contains(own), "{kind}: {outcome:?}");
        assert!(
            outcome.stdout.contains(&format!("{kind}:[")),
            "{kind}: {outcome:?}"
        );
    }
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            network_mode: Some("host".to_owned()),
            pid_mode: Some("host".to_owned()),
            ..HostConfig::default()
        }),
        ..shell("for kind in net pid; do readlink /proc/self/ns/$kind; done")
    });
    for kind in ["net", "pid"] {
        let own = std::fs::read_link(format!("/proc/self/ns/{kind}")).expect("a link");
        assert!(
            outcome.stdout.contains(own.to_str().expect("text")),
            "{kind}: {outcome:?}"
        );
    }
}

fn devices_are_refused() {
    let machine = Machine::new();
    let outcome = machine.sh(
        "for device in 'b 254 0' 'b 8 0' 'c 4 64' 'c 1 11' 'c 10 237'; do \
           mknod /tmp/d ${device% * *} ${device#? } && { cat /tmp/d 2>&1 | head -c 100; rm /tmp/d; } 2>&1; \
         done; \
         mknod /tmp/zero c 1 5 && dd if=/tmp/zero bs=1 count=2 2>/dev/null | wc -c; echo x > /dev/null && echo written",
    );
    let refused = outcome
        .stdout
        .matches("cat: can't open '/tmp/d': Operation not permitted")
        .count();
    assert_eq!(refused, 5, "{outcome:?}");
    assert!(outcome.stdout.ends_with("2\nwritten\n"), "{outcome:?}");
}

fn paths_are_hidden() {
    let machine = Machine::new();
    let outcome = machine.sh(
        "cat /proc/kcore | wc -c; cat /proc/keys | wc -c; ls /proc/acpi /sys/firmware | wc -l; \
         echo 1 > /proc/sys/kernel/printk; touch /sys/x; mount -t tmpfs t /tmp; \
         echo x > /proc/sys/kernel/hostname",
    );
    assert!(outcome.stdout.starts_with("0\n0\n"), "{outcome:?}");
    for refused in [
        "can't create /proc/sys/kernel/printk: Read-only file system",
        "/sys/x: Read-only file system",
        "permission denied",
    ] {
        assert!(outcome.stderr.contains(refused), "{refused}: {outcome:?}");
    }
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            masked_paths: Some(Vec::new()),
            readonly_paths: Some(Vec::new()),
            ..HostConfig::default()
        }),
        ..shell("cat /proc/keys | wc -c; cat /proc/sys/kernel/hostname > /proc/sys/kernel/hostname && echo written")
    });
    assert!(!outcome.stdout.starts_with("0\n"), "{outcome:?}");
    assert!(outcome.stdout.ends_with("written\n"), "{outcome:?}");
}

fn its_cgroups_show() {
    let machine = Machine::new();
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            memory: Some(64 << 20),
            ..HostConfig::default()
        }),
        ..shell(
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; \
             grep -c '/tool-test/' /proc/self/cgroup; cat /proc/1/cgroup; \
             mkdir /sys/fs/cgroup/x; mkdir /sys/fs/cgroup/memory/x; ls /sys/fs/cgroup",
        )
    });
    assert!(outcome.stdout.starts_with("67108864\n"), "{outcome:?}");
    assert_eq!(
        outcome.stderr.matches("Read-only file system").count(),
        2,
        "{outcome:?}"
    );
    let own = outcome
        .stdout
        .lines()
        .filter(|line| line.contains(":/tool-test/"))
        .count();
    let all = std::fs::read_to_string("/proc/self/cgroup").expect("cgroups");
    let v1 = all.lines().filter(|line| !line.starts_with("0::")).count();
    if v1 > 0 {
        assert_eq!(own, v1, "each controller: {outcome:?}");
    }
    assert!(
        outcome.stdout.contains("memory\n") || v1 == 0,
        "{outcome:?}"
    );
}

fn processes_are_limited() {
    let machine = Machine::new();
    let limited = |limit| {
        machine.run(ContainerCreateBody {
            host_config: Some(HostConfig {
                pids_limit: Some(limit),
                ..HostConfig::default()
            }),
            ..shell("true; /bin/sleep 0; (sleep 0; echo deep) ; echo end")
        })
    };
    let outcome = limited(1);
    assert!(outcome.stderr.contains("can't fork"), "{outcome:?}");
    assert_eq!(limited(10).stdout, "deep\nend\n");
}

fn privileged_is_privileged() {
    let machine = Machine::new();
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            privileged: Some(true),
            ..HostConfig::default()
        }),
        ..shell(&format!(
            "mount -t tmpfs t /tmp && echo mounted; {}; ls /dev | wc -l; test -w /sys/fs/cgroup/memory -o -w /sys/fs/cgroup/cgroup.procs && echo writable; \
             mkdir /sys/fs/cgroup/memory/x && rmdir /sys/fs/cgroup/memory/x; cat /proc/keys | head -c 1 | wc -c",
            status_of("CapEff|Seccomp")
        ))
    });
    let available = engine::spec::Capabilities::available().expect("capabilities");
    assert!(
        outcome.stdout.starts_with(&format!(
            "mounted\nCapEff: {:016x}\nSeccomp: 0\n",
            available.bits()
        )),
        "{outcome:?}"
    );
    assert!(outcome.stdout.ends_with("writable\n1\n"), "{outcome:?}");
}

fn no_new_privileges_holds() {
    let machine = Machine::new();
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            ..HostConfig::default()
        }),
        ..shell(&status_of("NoNewPrivs|Seccomp|CapEff"))
    });
    assert_eq!(
        outcome.stdout,
        "CapEff: 00000000a80425fb\nNoNewPrivs: 1\nSeccomp: 2\n"
    );
}

fn the_working_directory_is_made() {
    let machine = Machine::new();
    let outcome = machine.run(ContainerCreateBody {
        working_dir: Some("/srv/new/deep".to_owned()),
        user: Some("user".to_owned()),
        ..shell("pwd; stat -c '%u %a' .; touch x")
    });
    assert_eq!(outcome.stdout, "/srv/new/deep\n0 755\n");
    assert!(outcome.stderr.contains("Permission denied"), "{outcome:?}");
    let error = machine
        .try_run(ContainerCreateBody {
            working_dir: Some("/etc/passwd".to_owned()),
            ..shell("pwd")
        })
        .expect_err("it is a file");
    assert_eq!(
        error.to_string(),
        "unable to start container process: Cannot mkdir: /etc/passwd is not a directory"
    );
}

fn a_read_only_root_is() {
    let machine = Machine::new();
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            readonly_rootfs: Some(true),
            tmpfs: Some([("/tmp".to_owned(), String::new())].into()),
            ..HostConfig::default()
        }),
        ..shell("touch /x; touch /tmp/x && echo written; echo x > /dev/shm/x && echo written")
    });
    assert_eq!(outcome.stdout, "written\nwritten\n");
    assert!(
        outcome.stderr.contains("Read-only file system"),
        "{outcome:?}"
    );
}

fn system_calls_are_filtered() {
    let machine = Machine::new();
    let script = "unshare -U true; mount --bind /tmp /tmp";
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            cap_add: Some(vec!["SYS_CHROOT".to_owned()]),
            ..HostConfig::default()
        }),
        ..shell(script)
    });
    assert_eq!(
        outcome.stderr.matches("not permitted").count() + outcome.stderr.matches("denied").count(),
        2,
        "{outcome:?}"
    );
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            security_opt: Some(vec!["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"getcwd\"],\"action\":\"SCMP_ACT_ERRNO\"}]}".to_owned()]),
            ..HostConfig::default()
        }),
        ..shell("readlink -f .; unshare -U true && echo unshared")
    });
    assert_eq!(outcome.stdout, "unshared\n", "{outcome:?}");
}

fn binds_show() {
    let machine = Machine::new();
    let source = machine.path("source");
    std::fs::create_dir(&source).expect("a directory");
    std::fs::write(source.join("file"), "content").expect("a file");
    let bind = |destination: &str| format!("{}:{destination}", source.display());
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            binds: Some(vec![
                bind("/data"),
                bind("/new/place:ro"),
                format!("{}:/etc/one", source.join("file").display()),
            ]),
            ..HostConfig::default()
        }),
        ..shell("cat /data/file /new/place/file /etc/one; touch /data/made; touch /new/place/x")
    });
    assert_eq!(outcome.stdout, "contentcontentcontent");
    assert!(
        outcome
            .stderr
            .contains("/new/place/x: Read-only file system"),
        "{outcome:?}"
    );
    assert!(source.join("made").exists());

    let refused = |host_config| {
        let body = ContainerCreateBody {
            host_config: Some(host_config),
            ..shell("true")
        };
        machine.try_run(body).expect_err("no container").to_string()
    };
    let message = refused(HostConfig {
        binds: Some(vec![bind("/etc/passwd")]),
        ..HostConfig::default()
    });
    assert_eq!(
        message,
        format!(
            "unable to start container process: error mounting \"{}\" to rootfs at \"/etc/passwd\": not a directory: \
             Are you trying to mount a directory onto a file (or vice-versa)? \
             Check if the specified host path exists and is the expected type",
            source.display()
        )
    );
    let message = refused(HostConfig {
        sysctls: Some([("net.ipv4.no_such_thing".to_owned(), "1".to_owned())].into()),
        ..HostConfig::default()
    });
    assert_eq!(
        message,
        "unable to start container process: open /proc/sys/net/ipv4/no_such_thing: no such file or directory"
    );
}

fn dev_can_be_the_user_s() {
    let machine = Machine::new();
    let source = machine.path("dev");
    std::fs::create_dir_all(source.join("here")).expect("a directory");
    let outcome = machine.run(ContainerCreateBody {
        host_config: Some(HostConfig {
            binds: Some(vec![format!("{}:/dev", source.display())]),
            ..HostConfig::default()
        }),
        ..shell("ls /dev; grep -c ' /dev ' /proc/mounts")
    });
    assert_eq!(outcome.stdout, "here\n2\n", "{outcome:?}");
    assert_eq!(
        std::fs::read_dir(&source).expect("a directory").count(),
        1,
        "nothing was made in it"
    );
}
