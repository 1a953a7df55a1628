use super::*;

// Filters are for good, and a test harness has many threads: what they do is seen in processes of their own, in
// tests/seccomp.rs.

#[test]
fn the_builtin_profile_is_short_enough() {
    for capabilities in [
        Capabilities::none(),
        Capabilities::default_set(Capabilities::all()),
        Capabilities::all(),
    ] {
        let filters = Filters::new(&Seccomp::Builtin, capabilities).expect("filters");
        assert!(
            filters
                .programs
                .iter()
                .all(|program| compile::ends_well(program))
        );
        // With CAP_SYS_ADMIN there is no answer of its own for clone3.
        let count = if capabilities.contains("CAP_SYS_ADMIN") {
            2
        } else {
            4
        };
        assert_eq!(filters.programs.len(), count);
    }
}

#[test]
fn nothing_is_nothing() {
    assert!(
        Filters::new(&Seccomp::Unconfined, Capabilities::none())
            .expect("none")
            .is_empty()
    );
}

#[test]
fn profiles_are_read() {
    let json = r#"{
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
        "syscalls": [
            {"name": "mkdir", "action": "SCMP_ACT_ERRNO"},
            {"names": ["mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "comment": "x"},
            {"names": ["kill"], "action": "SCMP_ACT_KILL", "args": [
                {"index": 1, "value": 9, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 15, "op": "SCMP_CMP_EQ"}]}
        ]
    }"#;
    let profile = Profile::from_json(json).expect("a profile");
    assert_eq!(
        profile.rules.len(),
        4,
        "two comparisons of one argument are two rules"
    );
    let filters = Filters::of(&profile, Capabilities::none()).expect("filters");
    assert!(
        filters
            .programs
            .iter()
            .all(|program| compile::ends_well(program))
    );
    let architectures = if cfg!(target_arch = "x86_64") { 2 } else { 1 };
    // The check of the architecture, and an answer of each kind.
    assert_eq!(filters.programs.len(), 1 + 3 * architectures);
}

#[test]
fn wrong_profiles_are_named() {
    for (json, part) in [
        ("", "Decoding seccomp profile failed"),
        ("{}", "missing field `defaultAction`"),
        (r#"{"defaultAction": "ALLOW"}"#, "unknown action ALLOW"),
        (
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 70000}"#,
            "70000 is no error number",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"}]}"#,
            "use either 'name' or 'names'",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["a"], "archMap": [{"architecture": "b"}]}"#,
            "use either 'architectures' or 'archMap'",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]}"#,
            "a system call has no argument 6",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": 0, "op": "EQ"}]}]}"#,
            "unknown operator EQ",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]}"#,
            "unknown flag X",
        ),
    ] {
        let error = Profile::from_json(json).expect_err(part);
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains(part), "{error}");
    }
    for json in [
        r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#,
        r#"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x"}"#,
    ] {
        assert_eq!(
            Profile::from_json(json).expect_err("no listener").status(),
            501
        );
    }
}

#[test]
fn a_profile_without_end_is_refused() {
    let condition = r#"{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}"#;
    let rule =
        format!(r#"{{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{condition}]}}"#);
    let json = format!(
        r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{}]}}"#,
        vec![rule.as_str(); 2000].join(",")
    );
    let profile = Profile::from_json(&json).expect("a profile");
    let error = Filters::of(&profile, Capabilities::none()).expect_err("too long");
    assert!(
        error.to_string().contains("the kernel takes 4096"),
        "{error}"
    );
}
