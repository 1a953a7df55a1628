use super::*;

fn asked(host_config: HostConfig) -> Result<Limits> {
    Limits::asked(&host_config)
}

#[test]
fn swap_follows_memory() {
    let limits = |memory, memory_swap| {
        asked(HostConfig {
            memory: Some(memory),
            memory_swap: Some(memory_swap),
            ..HostConfig::default()
        })
        .expect("limits")
    };
    assert_eq!(limits(64 << 20, 0).memory_and_swap, Some(128 << 20));
    assert_eq!(limits(64 << 20, -1).memory_and_swap, Some(-1));
    assert_eq!(limits(64 << 20, 65 << 20).memory_and_swap, Some(65 << 20));
    assert_eq!(limits(0, 0), Limits::default());
}

#[test]
fn processors_are_a_quota() {
    let limits = asked(HostConfig {
        nano_cpus: Some(500_000_000),
        ..HostConfig::default()
    })
    .expect("limits");
    assert_eq!(
        (limits.cpu_quota, limits.cpu_period),
        (Some(50_000), Some(100_000))
    );
}

#[test]
fn wrong_limits_are_refused_in_dockerd_s_words() {
    let none = HostConfig::default;
    let mib = 1 << 20;
    for (host_config, message) in [
        (
            HostConfig {
                memory: Some(1),
                ..none()
            },
            "Minimum memory limit allowed is 6MB",
        ),
        (
            HostConfig {
                memory: Some(8 * mib),
                memory_swap: Some(7 * mib),
                ..none()
            },
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            HostConfig {
                memory_swap: Some(7 * mib),
                ..none()
            },
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        (
            HostConfig {
                memory_swappiness: Some(101),
                ..none()
            },
            "Invalid value: 101, valid memory swappiness range is 0-100",
        ),
        (
            HostConfig {
                memory: Some(8 * mib),
                memory_reservation: Some(9 * mib),
                ..none()
            },
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ),
        (
            HostConfig {
                nano_cpus: Some(1),
                cpu_quota: Some(1),
                ..none()
            },
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ),
        (
            HostConfig {
                cpu_period: Some(1),
                ..none()
            },
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ),
        (
            HostConfig {
                cpu_quota: Some(1),
                ..none()
            },
            "CPU cfs quota can not be less than 1ms (i.e. 1000)",
        ),
        (
            HostConfig {
                blkio_weight: Some(9),
                ..none()
            },
            "Range of blkio weight is from 10 to 1000",
        ),
    ] {
        let error = asked(host_config).expect_err(message);
        assert_eq!(error.to_string(), message);
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn lists_of_ranges_are_read() {
    assert_eq!(ranges("0-2,7\n"), Some(vec![(0, 2), (7, 7)]));
    for wrong in ["", "a", "1-", "2-1", "0,,1", "-1", "+1", "9999999"] {
        assert_eq!(ranges(wrong), None, "{wrong}");
    }
}

#[test]
fn processors_that_are_missing_are_named() {
    let host = Host::detect().expect("cgroups");
    if !host.has("cpuset") {
        return;
    }
    let config = |cpus: &str| HostConfig {
        cpuset_cpus: Some(cpus.to_owned()),
        ..HostConfig::default()
    };
    Limits::of(&config("0"), &host, &mut Vec::new()).expect("the first processor");
    let error =
        Limits::of(&config("0,8000"), &host, &mut Vec::new()).expect_err("no such processor");
    assert!(
        error
            .to_string()
            .starts_with("Requested CPUs are not available - requested 0,8000, available: "),
        "{error}"
    );
    let error = Limits::of(&config("x"), &host, &mut Vec::new()).expect_err("no list");
    assert_eq!(
        error.to_string(),
        "Invalid value x for cpuset cpus: invalid format: x"
    );
}
