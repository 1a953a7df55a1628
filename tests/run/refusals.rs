//! Refusals that programs look for: they have Docker's words.

use harness::Kind;

use crate::{engine, tool};

#[test]
fn refusals_have_dockers_words() {
    let engine = engine!();
    let label = "refusals_have_dockers_words";
    let parent = "refusals-parent";
    let words = ["run", "--name", parent, "-v", "/data", "busybox", "true"];
    assert_eq!(tool(engine).run(words).code, Some(0));
    for (options, text) in [
        (
            &["--name=refusals-self", "--net=container:refusals-self"][..],
            "cannot join own network",
        ),
        (
            &["-v", "volume:/x:shared"],
            "invalid volume specification: 'volume:/x:shared': invalid mount config for type \"volume\": \
             field BindOptions must not be specified",
        ),
        (
            &["-v", "/tmp:/x:nocopy"],
            "invalid volume specification: '/tmp:/x:nocopy': invalid mount config for type \"bind\": \
             field VolumeOptions must not be specified",
        ),
        (&["-v", "volume:/x:bad"], "invalid mode: bad"),
        (&["-v", "/tmp:/x:ro,rw"], "invalid mode: ro,rw"),
        (
            &["-v", "/data:rw"],
            "invalid volume specification: '/data:rw'",
        ),
        (&["--volumes-from=refusals-parent:bad"], "invalid mode: bad"),
        (
            &["--volumes-from=refusals-parent:shared"],
            "invalid mode: shared",
        ),
        (
            &["--volumes-from=refusals-parent:nocopy"],
            "invalid mode: nocopy",
        ),
        (
            &["--volumes-from="],
            "volumes-from specification cannot be an empty string",
        ),
        (&["--volumes-from=:ro"], "invalid name or ID supplied: \"\""),
        (
            &["--device", "/etc"],
            "error gathering device information while adding custom device \"/etc\": not a device node",
        ),
        (
            &["--device", "/etc/hostname"],
            "error gathering device information while adding custom device \"/etc/hostname\": not a device node",
        ),
        (
            &["--group-add=nosuchgroup"],
            "Unable to find group nosuchgroup: no matching entries in group file",
        ),
        (
            &["--user=nosuchuser"],
            "unable to find user nosuchuser: no matching entries in passwd file",
        ),
        (
            &["--user=root:nosuchgroup"],
            "unable to find group nosuchgroup: no matching entries in group file",
        ),
        (
            &["--workdir=/etc/hosts"],
            "Cannot mkdir: /etc/hosts is not a directory",
        ),
        (
            &["--net=host", "--link=refusals-parent"],
            "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
        ),
        (
            &["--net=container:refusals-parent", "--link=refusals-parent"],
            "conflicting options: container type network can't be used with links. This would result in undefined behavior",
        ),
        (
            &["--net=container:"],
            "nvalid network mode: invalid container format container:<name|id>",
        ),
    ] {
        let words = [&["run", "--rm", "-l", label], options, &["busybox", "true"]].concat();
        let outcome = tool(engine).run(words);
        outcome.assert_err_contains(125, "", &format!("{text}\n"));
    }
    engine.remove(parent);
    // Docker makes the container before it looks for what it joins.
    if engine.kind() == Kind::Embedded {
        assert!(engine.containers(label).is_empty());
    }
}
