//! `--device` and the other options about devices, and what only engines on Windows or newer ones have.

use std::path::Path;

use crate::{api_minor, engine, tool};

/// The kernel's log: a device that every machine has and no container gets unasked. Where the machine keeps it from
/// those without the capability, reading it takes [`MAY_READ`].
const LOG: &str = "/dev/kmsg";
const MAY_READ: &str = "--cap-add=SYSLOG";

#[test]
fn a_device_is_there_and_may_be_used_as_far_as_permitted() {
    let engine = engine!();
    if !Path::new(LOG).exists() {
        return;
    }
    let script = ": </dev/log && echo read; : >/dev/log";
    let words = [
        "run",
        "--rm",
        MAY_READ,
        "--device",
        "/dev/kmsg:/dev/log:r",
        "busybox",
        "sh",
        "-c",
        script,
    ];
    let outcome = tool(engine).run(words);
    outcome.assert_err_contains(1, "read\n", "Operation not permitted");
    let words = [
        "run",
        "--rm",
        MAY_READ,
        "--device=/dev/kmsg",
        "busybox",
        "sh",
        "-c",
        ": <>/dev/kmsg",
    ];
    tool(engine).run(words).assert(0, "", "");
}

#[test]
fn a_rule_allows_what_is_made_inside() {
    let engine = engine!();
    let script = "mknod /log c 1 11 && : </log";
    let words = ["run", "--rm", MAY_READ, "busybox", "sh", "-c", script];
    let outcome = tool(engine).run(words);
    outcome.assert_err_contains(1, "", "Operation not permitted");
    let words = [
        "run",
        "--rm",
        MAY_READ,
        "--device-cgroup-rule",
        "c 1:11 r",
        "busybox",
        "sh",
        "-c",
        script,
    ];
    tool(engine).run(words).assert(0, "", "");
}

#[test]
fn limits_of_block_devices_are_on_the_container() {
    let engine = engine!();
    let Some(device) = block_device() else {
        return;
    };
    let limit = |option: &str, value: &str| format!("--{option}={device}:{value}");
    let words = [
        "run".to_owned(),
        "-d".to_owned(),
        "--name=block_limits".to_owned(),
        limit("device-read-bps", "1mb"),
        limit("device-write-bps", "2048"),
        limit("device-read-iops", "100"),
        limit("device-write-iops", "200"),
        "busybox".to_owned(),
        "true".to_owned(),
    ];
    let outcome = tool(engine).run(words);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    // An engine whose kernel has no such limits says so and leaves them out.
    if outcome.err().contains("Your kernel does not support") {
        return;
    }
    let host = engine.inspect("block_limits")["HostConfig"].clone();
    for (field, rate) in [
        ("BlkioDeviceReadBps", 1 << 20),
        ("BlkioDeviceWriteBps", 2048),
        ("BlkioDeviceReadIOps", 100),
        ("BlkioDeviceWriteIOps", 200),
    ] {
        let expected = serde_json::json!([{ "Path": device, "Rate": rate }]);
        assert_eq!(host[field], expected, "{field}");
    }
}

#[test]
fn a_device_that_is_none_creates_nothing() {
    let engine = engine!();
    for (option, part) in [
        ("--device=/dev/null:/dev/x:rr", "bad mode specified: rr"),
        ("--device=/dev/nonexistent", "no such file or directory"),
        // This engine is older than the Container Device Interface.
        (
            "--device=vendor.com/gpu=0",
            "could not select device driver",
        ),
        ("--isolation=hyperv", "isolation"),
    ] {
        let outcome =
            tool(engine).run(["run", "-l", "no_device", "--rm", option, "busybox", "true"]);
        assert!(matches!(outcome.code, Some(125 | 127)), "{outcome:?}");
        assert!(outcome.err().contains(part), "{option}: {}", outcome.err());
    }
    assert!(engine.containers("no_device").is_empty());
}

#[test]
fn what_this_engine_does_not_know_creates_nothing() {
    let engine = engine!();
    let words = [
        "run",
        "-l",
        "not_known",
        "--cpu-count",
        "1",
        "--annotation",
        "a=b",
        "busybox",
        "true",
    ];
    let minor = api_minor(engine);
    let too_old = match minor < 43 {
        true => format!(
            "\"--annotation\" requires API version 1.43, but the Docker daemon API version is 1.{minor}\n"
        ),
        false => String::new(),
    };
    let expected = format!(
        "{too_old}\"--cpu-count\" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux\n"
    );
    tool(engine).run(words).assert(1, "", &expected);
    assert!(engine.containers("not_known").is_empty());
}

#[test]
fn what_means_nothing_any_more_does_not_stop_a_script() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "--kernel-memory",
        "64m",
        "--disable-content-trust",
        "busybox",
        "echo",
        "done",
    ];
    tool(engine).run(words).assert(
        0,
        "done\n",
        "Flag --disable-content-trust has been deprecated, support for docker content trust was removed\n\
         Flag --kernel-memory has been deprecated, and no longer supported by the kernel\n",
    );
}

/// A whole disk of this machine.
fn block_device() -> Option<String> {
    let disks = std::fs::read_dir("/sys/block").ok()?;
    disks
        .filter_map(|disk| Some(format!("/dev/{}", disk.ok()?.file_name().to_str()?)))
        .find(|path| Path::new(path).exists())
}
