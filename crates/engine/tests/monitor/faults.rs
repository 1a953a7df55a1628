//! What goes wrong, and what is left of it.

use std::process::Command;
use std::thread;
use std::time::Duration;

use bollard_stubs::models::ExecConfig;
use engine::monitor;
use engine::monitor::protocol::{Condition, Reply, Request};
use engine::state::{Lock, Recorded, State, Status, Store};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::Test;
use crate::client::{Client, output, unframed};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_monitor_may_die_at_any_moment",
        a_monitor_may_die_at_any_moment,
    ),
    ("what_joined_is_adopted_too", what_joined_is_adopted_too),
    (
        "a_number_that_somebody_else_has_is_nobodys",
        a_number_that_somebody_else_has_is_nobodys,
    ),
    (
        "a_full_disk_ends_no_container",
        a_full_disk_ends_no_container,
    ),
    ("many_start_at_once", many_start_at_once),
    (
        "who_waits_for_a_client_waits_no_longer_than_it_lives",
        who_waits_for_a_client_waits_no_longer_than_it_lives,
    ),
];

/// The moment is another one each time: a test has no other way into another process.
fn a_monitor_may_die_at_any_moment() {
    for step in 0..20_u64 {
        let client = Client::new(Client::script("sleep 1000"));
        let (layout, id) = (client.layout.clone(), client.id.clone());
        let starter =
            thread::spawn(move || monitor::request(&layout, &id, &Request::Start).is_ok());
        let monitor = client.until("there is a monitor", || {
            if starter.is_finished() {
                return Some(client.find_monitor());
            }
            client.find_monitor().map(Some)
        });
        thread::sleep(Duration::from_micros(step * 1500));
        if let Some(monitor) = monitor {
            let _ = kill_process(monitor, Signal::KILL);
        }
        let started = starter.join().expect("an answer");
        let state = client.state();
        assert!(
            matches!(
                state.status,
                Status::Created | Status::Running | Status::Exited
            ),
            "{state:?}"
        );
        // A start that was answered is a start.
        assert!(!started || state.status != Status::Created, "{state:?}");
        // Whatever it was, it can be started, and nothing is left in the end: see `Drop`.
        match client.ask(&Request::Start) {
            Err(error) if error.status() != 304 => panic!("{error}"),
            _ => {}
        }
        assert_eq!(client.state().status, Status::Running);
    }
}

fn what_joined_is_adopted_too() {
    let client = Client::new(Client::script("sleep 1000"));
    client.start();
    let join = |script: &str| {
        let id = client.exec(ExecConfig {
            cmd: Some(vec!["/bin/sh".into(), "-c".into(), script.into()]),
            ..ExecConfig::default()
        });
        let request = Request::ExecStart {
            id: id.clone(),
            detach: true,
            tty: false,
            size: None,
        };
        client.ask(&request).expect("a start");
        id
    };
    let long = join("while ! test -e /tmp/end; do sleep 0.01; done; exit 4");
    let old = client.monitor();
    kill_process(old, Signal::KILL).expect("a kill");
    client.until("another monitor is there", || {
        client.state();
        client.find_monitor().filter(|&monitor| monitor != old)
    });
    let store = Store::new(&client.layout);
    assert!(store.exec(&long).expect("a record").running);
    let root = format!("/proc/{}/root/tmp/end", client.state().process.number());
    std::fs::write(root, "").expect("a file");
    let done = client.until("it has ended", || {
        store.exec(&long).ok().filter(|exec| !exec.running)
    });
    // An older kernel does not tell.
    assert!([Some(4), Some(255)].contains(&done.exit_code), "{done:?}");
}

/// A container whose monitor was killed and that ended since, and whose number was given to another process.
fn a_number_that_somebody_else_has_is_nobodys() {
    let mut stranger = Command::new("sleep")
        .arg("1000")
        .spawn()
        .expect("a process");
    let pid = Pid::from_child(&stranger);
    let known = Recorded::of(pid).expect("a process");
    let known = serde_json::to_value(&known).expect("JSON");
    for (field, value) in [
        ("pid_started", json!(1)),
        ("boot", json!("another")),
        ("pid", json!(0)),
    ] {
        let client = Client::new(Client::script("sleep 1000"));
        let mut state = known.clone();
        state["status"] = json!("running");
        state[field] = value;
        let state: State = serde_json::from_value(state).expect("a state");
        let lock = Lock::try_acquire(&client.layout, &client.id).expect("a lock");
        let lock = lock.expect("nobody has it");
        lock.write_state(&state).expect("written");
        drop(lock);
        assert_eq!(client.state().status, Status::Exited, "{field}");
        let error = client.ask(&Request::Kill { signal: 9 });
        assert!(error.is_err(), "{field}");
        monitor::remove(&client.layout, &client.id, true, true).expect("removed");
        assert!(stranger.try_wait().expect("a child").is_none(), "{field}");
    }
    stranger.kill().expect("a kill");
    stranger.wait().expect("its end");
}

/// A file system that is unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> SmallDisk {
        let directory = tempfile::tempdir().expect("a directory");
        mount(
            "tmpfs",
            directory.path(),
            "tmpfs",
            MountFlags::empty(),
            c"size=3m",
        )
        .expect("a file system");
        SmallDisk(directory)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}

fn a_full_disk_ends_no_container() {
    let disk = SmallDisk::new();
    let client = Client::within(disk.0.path(), Client::script("seq 1 200000; exit 5"));
    let stream = client.attach(output());
    let mut wait = client.wait(Condition::NextExit);
    client.start();
    let (stdout, _) = unframed(stream);
    assert!(stdout.ends_with("\n200000\n"));
    assert!(client.log().len() < stdout.len(), "the disk was full");
    assert!(matches!(
        wait.receive(),
        Ok(Reply::Exited { status_code: 5, .. })
    ));
    let state = client.state();
    assert_eq!((state.status, state.exit_code), (Status::Exited, 5));
    assert!(client.monitor_log().contains("log cannot be written"));
    // Where there is no room for the files of another run, that is said.
    let filler = std::fs::write(disk.0.path().join("filler"), vec![0; 4 << 20]);
    assert!(filler.is_err());
    let error = client.ask(&Request::Start).expect_err("a full disk");
    assert!(error.to_string().contains("no space left"), "{error}");
    assert!(client.cgroups().is_empty());
}

fn many_start_at_once() {
    let clients: Vec<Client> = (0..30)
        .map(|number| Client::new(Client::script(&format!("echo {number}; exit {number}"))))
        .collect();
    thread::scope(|scope| {
        for (number, client) in clients.iter().enumerate() {
            scope.spawn(move || {
                let stream = client.attach(output());
                let mut wait = client.wait(Condition::NextExit);
                client.start();
                assert_eq!(unframed(stream).0, format!("{number}\n"));
                match wait.receive().expect("an end") {
                    Reply::Exited { status_code, .. } => assert_eq!(status_code, number as i64),
                    reply => panic!("{reply:?}"),
                }
            });
        }
    });
}

/// A server that dies after it registered its client, and before it hands it over.
fn who_waits_for_a_client_waits_no_longer_than_it_lives() {
    let client = Client::new(Client::script("seq 1 1000000"));
    let (connection, reply) =
        monitor::request(&client.layout, &client.id, &Request::Attach(output()))
            .expect("a session");
    assert_eq!(reply, Reply::Ready);
    let mut wait = client.wait(Condition::NextExit);
    client.start();
    client.until("it writes", || (!client.log().is_empty()).then_some(()));
    drop(connection);
    assert!(matches!(
        wait.receive(),
        Ok(Reply::Exited { status_code: 0, .. })
    ));
}
