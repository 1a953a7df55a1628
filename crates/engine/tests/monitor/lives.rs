//! How containers start and end.

use bollard_stubs::models::{
    HealthConfig, HostConfig, HostConfigLogConfig, RestartPolicy, RestartPolicyNameEnum,
};
use engine::monitor::protocol::{Condition, Reply, Request};
use engine::state::{HealthStatus, Status};
use rustix::process::{Signal, kill_process, test_kill_process};

use crate::Test;
use crate::client::{Client, output, unframed};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_container_says_hello_and_ends",
        a_container_says_hello_and_ends,
    ),
    (
        "a_program_that_is_missing_is_no_start",
        a_program_that_is_missing_is_no_start,
    ),
    ("signals_end_it", signals_end_it),
    (
        "stop_is_patient_and_then_kills",
        stop_is_patient_and_then_kills,
    ),
    ("it_starts_again_when_asked", it_starts_again_when_asked),
    ("policies_start_it_again", policies_start_it_again),
    ("auto_remove_leaves_nothing", auto_remove_leaves_nothing),
    ("a_killed_monitor_is_replaced", a_killed_monitor_is_replaced),
    (
        "a_container_that_died_with_its_monitor_is_buried",
        a_container_that_died_with_its_monitor_is_buried,
    ),
    ("health_is_checked", health_is_checked),
    ("a_container_can_be_paused", a_container_can_be_paused),
    (
        "a_running_container_is_not_removed",
        a_running_container_is_not_removed,
    ),
    ("logs_may_be_kept_by_nobody", logs_may_be_kept_by_nobody),
];

fn exited(status_code: i64) -> Reply {
    Reply::Exited {
        status_code,
        error: None,
    }
}

fn a_container_says_hello_and_ends() {
    let client = Client::new(Client::script("echo hello; echo no >&2; exit 7"));
    assert_eq!(client.state().status, Status::Created);
    let stream = client.attach(output());
    let mut wait = client.wait(Condition::NextExit);
    client.start();
    assert_eq!(unframed(stream), ("hello\n".to_owned(), "no\n".to_owned()));
    assert_eq!(wait.receive().expect("an end"), exited(7));
    let state = client.state();
    assert_eq!((state.status, state.exit_code), (Status::Exited, 7));
    assert!(state.started_at < state.finished_at);
    assert_eq!((state.process.is_none(), state.oom_killed), (true, false));
    assert_eq!(client.log(), "hello\nno\n");
    assert!(client.cgroups().is_empty());
    // What it ended with is known when nobody waited for it.
    assert_eq!(
        client
            .wait(Condition::NotRunning)
            .receive()
            .expect("an end"),
        exited(7)
    );
}

fn a_program_that_is_missing_is_no_start() {
    let mut body = Client::script("");
    body.cmd = Some(vec!["/bin/missing".to_owned()]);
    let client = Client::new(body);
    let mut wait = client.wait(Condition::NextExit);
    let stream = client.attach(output());
    let error = client.ask(&Request::Start).expect_err("no start");
    assert!(
        error.to_string().contains("no such file or directory"),
        "{error}"
    );
    let reply = wait.receive().expect("a release");
    assert_eq!(
        reply,
        Reply::Exited {
            status_code: 127,
            error: Some(error.to_string())
        }
    );
    assert_eq!(unframed(stream), (String::new(), String::new()));
    let state = client.state();
    assert_eq!((state.status, state.exit_code), (Status::Created, 127));
    assert_eq!(state.error, error.to_string());
}

fn signals_end_it() {
    let client = Client::new(Client::script(
        "trap 'exit 3' USR1; echo ready; while :; do sleep 0.01; done",
    ));
    let stopped = client
        .ask(&Request::Kill { signal: 9 })
        .expect_err("it does not run");
    assert_eq!(stopped.status(), 409);
    client.start();
    client.until("it is ready", || {
        client.log().contains("ready").then_some(())
    });
    let mut wait = client.wait(Condition::NotRunning);
    client
        .ask(&Request::Kill {
            signal: libc::SIGUSR1,
        })
        .expect("a signal");
    assert_eq!(wait.receive().expect("an end"), exited(3));
    client.start();
    let mut wait = client.wait(Condition::NotRunning);
    client
        .ask(&Request::Kill {
            signal: libc::SIGKILL,
        })
        .expect("a signal");
    assert_eq!(wait.receive().expect("an end"), exited(137));
}

fn stop_is_patient_and_then_kills() {
    let mut body =
        Client::script("trap '' TERM; trap 'exit 4' INT; echo ready; while :; do sleep 0.01; done");
    body.stop_signal = Some("SIGINT".to_owned());
    let client = Client::new(body);
    let stop = |signal, timeout| client.ask(&Request::Stop { signal, timeout });
    assert_eq!(stop(None, None).expect_err("it does not run").status(), 304);
    let ready = |times: usize| {
        client.until("it is ready", || {
            (client.log().matches("ready").count() == times).then_some(())
        });
    };
    client.start();
    ready(1);
    stop(None, None).expect("a stop");
    let state = client.state();
    assert_eq!((state.status, state.exit_code), (Status::Exited, 4));
    assert!(state.stopped_by_user);
    client.start();
    ready(2);
    stop(Some(libc::SIGTERM), Some(0)).expect("a stop");
    assert_eq!(client.state().exit_code, 137);
}

fn it_starts_again_when_asked() {
    let client = Client::new(Client::script(
        "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done",
    ));
    client.start();
    let again = client.ask(&Request::Start).expect_err("it runs");
    assert_eq!(again.status(), 304);
    let first = client.state().process.number();
    client.until("it is up", || client.log().contains("up").then_some(()));
    client
        .ask(&Request::Restart {
            signal: None,
            timeout: Some(10),
        })
        .expect("a restart");
    let state = client.state();
    assert_eq!((state.status, state.restart_count), (Status::Running, 0));
    assert_ne!(state.process.number(), first);
}

fn policies_start_it_again() {
    let mut body = Client::script("echo once; exit 5");
    body.host_config = Some(HostConfig {
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::ON_FAILURE),
            maximum_retry_count: Some(2),
        }),
        ..HostConfig::default()
    });
    let client = Client::new(body);
    let mut wait = client.wait(Condition::NotRunning);
    // It does not run yet.
    assert_eq!(wait.receive().expect("an answer"), exited(0));
    client.start();
    let state = client.until_status(Status::Exited);
    assert_eq!((state.restart_count, state.exit_code), (2, 5));
    assert_eq!(client.log(), "once\n".repeat(3));

    let mut body = Client::script("exit 0");
    body.host_config = Some(HostConfig {
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::ALWAYS),
            maximum_retry_count: None,
        }),
        ..HostConfig::default()
    });
    let client = Client::new(body);
    client.start();
    client.until("it was started again", || {
        (client.state().restart_count >= 2).then_some(())
    });
    client
        .ask(&Request::Stop {
            signal: None,
            timeout: None,
        })
        .expect("a stop");
    assert_eq!(client.state().status, Status::Exited);
}

fn auto_remove_leaves_nothing() {
    for (command, code) in [("exit 6", 6), ("", 127)] {
        let mut body = Client::script(command);
        if command.is_empty() {
            body.cmd = Some(vec!["/bin/missing".to_owned()]);
        }
        body.host_config = Some(HostConfig {
            auto_remove: Some(true),
            ..HostConfig::default()
        });
        let client = Client::new(body);
        let mut wait = client.wait(Condition::Removed);
        let started = client.ask(&Request::Start);
        assert_eq!(started.is_ok(), code == 6);
        match wait.receive().expect("a removal") {
            Reply::Exited { status_code, .. } => assert_eq!(status_code, code),
            reply => panic!("{reply:?}"),
        }
        assert!(!client.layout.container(&client.id).exists());
        assert_eq!(client.layout.names().read_dir().expect("names").count(), 0);
    }
}

fn a_killed_monitor_is_replaced() {
    let client = Client::new(Client::script(
        "trap 'exit 9' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done",
    ));
    client.start();
    client.until("it writes", || client.log().contains("5\n").then_some(()));
    let pid = client.state().process.number();
    let old = client.monitor();
    kill_process(old, Signal::KILL).expect("a kill");
    client.until("the monitor is gone", || {
        test_kill_process(old).is_err().then_some(())
    });
    let state = client.state();
    assert_eq!(
        (state.status, state.process.number()),
        (Status::Running, pid)
    );
    let length = client.log().len();
    client.until("it writes on", || {
        (client.log().len() > length + 20).then_some(())
    });
    let lines: Vec<u32> = client
        .log()
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert!(
        lines.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "no line is lost: {lines:?}"
    );
    client
        .ask(&Request::Stop {
            signal: None,
            timeout: Some(10),
        })
        .expect("a stop");
    let state = client.state();
    assert_eq!(state.status, Status::Exited);
    // An older kernel does not tell.
    assert!([9, 255].contains(&state.exit_code), "{state:?}");
    assert_eq!(state.exit_code == 255, !state.error.is_empty());
}

fn a_container_that_died_with_its_monitor_is_buried() {
    let client = Client::new(Client::script("sleep 100"));
    client.start();
    let process = client.state().process.open().expect("a process");
    let monitor = client.monitor();
    kill_process(monitor, Signal::KILL).expect("a kill");
    client.until("the monitor is gone", || {
        test_kill_process(monitor).is_err().then_some(())
    });
    process.signal(9).expect("a kill");
    client.until("the process is gone", || {
        (!process.is_alive()).then_some(())
    });
    let state = client.state();
    assert_eq!((state.status, state.exit_code), (Status::Exited, 255));
    assert!(state.error.contains("unknown"), "{}", state.error);
    client.until("it is cleaned up after", || {
        client.cgroups().is_empty().then_some(())
    });
    // It can be started again.
    client.start();
    assert_eq!(client.until_status(Status::Running).error, "");
}

fn health_is_checked() {
    let mut body = Client::script("sleep 100");
    body.healthcheck = Some(HealthConfig {
        test: Some(vec![
            "CMD-SHELL".into(),
            "echo checking; test -e /tmp/well".into(),
        ]),
        interval: Some(20_000_000),
        retries: Some(2),
        ..HealthConfig::default()
    });
    let client = Client::new(body);
    client.start();
    let health = |status| {
        client.until("its health is as expected", || {
            client
                .state()
                .health
                .filter(|health| health.status == status)
        })
    };
    let sick = health(HealthStatus::Unhealthy);
    let last = sick.log.last().expect("a check");
    assert_eq!((last.exit_code, last.output.as_str()), (1, "checking\n"));
    assert!(sick.failing_streak >= 2);
    let root = format!("/proc/{}/root/tmp/well", client.state().process.number());
    std::fs::write(root, "").expect("a file");
    assert_eq!(health(HealthStatus::Healthy).failing_streak, 0);
}

fn a_container_can_be_paused() {
    let client = Client::new(Client::script("while :; do echo tick; sleep 0.01; done"));
    assert_eq!(
        client
            .ask(&Request::Pause)
            .expect_err("it does not run")
            .status(),
        409
    );
    client.start();
    client.until("it ticks", || client.log().contains("tick").then_some(()));
    client.ask(&Request::Pause).expect("a pause");
    assert_eq!(client.state().status, Status::Paused);
    assert!(client.ask(&Request::Pause).is_err());
    client.ask(&Request::Unpause).expect("no pause");
    client.ask(&Request::Pause).expect("a pause");
    // A container that is frozen is stopped all the same.
    client
        .ask(&Request::Stop {
            signal: None,
            timeout: Some(0),
        })
        .expect("a stop");
    assert_eq!(client.state().exit_code, 137);
}

fn a_running_container_is_not_removed() {
    let client = Client::new(Client::script("sleep 100"));
    client.start();
    let error =
        engine::monitor::remove(&client.layout, &client.id, false, false).expect_err("it runs");
    assert_eq!(error.status(), 409);
    assert!(
        error
            .to_string()
            .contains("stop the container before removing"),
        "{error}"
    );
    let mut wait = client.wait(Condition::Removed);
    engine::monitor::remove(&client.layout, &client.id, true, false).expect("a removal");
    assert_eq!(wait.receive().expect("an answer"), exited(137));
}

fn logs_may_be_kept_by_nobody() {
    let mut body = Client::script("echo hello");
    body.host_config = Some(HostConfig {
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        ..HostConfig::default()
    });
    let client = Client::new(body);
    let stream = client.attach(output());
    client.start();
    assert_eq!(unframed(stream).0, "hello\n");
    client.until_status(Status::Exited);
    assert_eq!(client.log(), "");
}
