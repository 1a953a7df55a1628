//! Cgroups that no container has any more, and the processes in them.

use super::{Audit, Owners, Thing};
use crate::Result;
use crate::cgroup::{self, Cgroup, Host};
use crate::state::Store;

pub(super) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    let layout = audit.layout().clone();
    let host = Host::detect()?;
    if host.refusal().is_some() {
        return Ok(());
    }
    below(audit, &host, cgroup::DEFAULT_PARENT)?;
    let owners = Owners::list(&layout)?;
    // Where a user named another parent, only the container itself knows that.
    let store = Store::new(&layout);
    for id in store.ids()? {
        let Ok(record) = store.record(&id) else {
            continue;
        };
        let host_config = record.body.host_config.unwrap_or_default();
        let parent = host_config
            .cgroup_parent
            .filter(|parent| !parent.is_empty());
        if parent.is_some() && !owners.is_alive(&id) {
            report(audit, &host, &owners, parent.as_deref(), &id)?;
        }
    }
    Ok(())
}

/// Looks at this engine's cgroups among those right below `parent`, where every engine has its own.
fn below(audit: &mut Audit<'_>, host: &Host, parent: &str) -> Result<()> {
    let mut ids = cgroup::ids(host, parent)?;
    ids.retain(|id| audit.layout().had_container(id));
    let owners = Owners::list(audit.layout())?;
    for id in ids.iter().filter(|id| !owners.is_alive(id)) {
        report(audit, host, &owners, Some(parent), id)?;
    }
    Ok(())
}

fn report(
    audit: &mut Audit<'_>,
    host: &Host,
    owners: &Owners,
    parent: Option<&str>,
    id: &str,
) -> Result<()> {
    // It may have gone since it was listed.
    let Some(mut group) = Cgroup::open(host, parent, id)? else {
        return Ok(());
    };
    let processes = group.pids()?.len();
    let why = match owners.has(id) {
        true => "its container does not run",
        false => "its container does not exist",
    };
    let problem = match processes {
        0 => why.to_owned(),
        _ => format!("{why}, and has {processes} processes in it"),
    };
    let subject = format!("{}/{id}", parent.unwrap_or(cgroup::DEFAULT_PARENT));
    audit.found(Thing::Cgroup, subject, problem, || {
        group.kill()?;
        group.remove()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::Layout;
    use crate::cgroup::Limits;
    use crate::check::Outcome;

    /// A process in the cgroup, which does not end by itself.
    fn joined(group: &Cgroup) -> Child {
        let join = serde_json::to_value(group.join()).expect("JSON");
        let files = join["files"].as_array().expect("files");
        let files = files.iter().filter_map(|file| file.as_str());
        let mut child = Command::new("sh")
            .args([
                "-c",
                "for file; do echo 0 >$file; done; echo x; exec sleep 1000",
                "sh",
            ])
            .args(files)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut [0]).expect("it joined");
        child
    }

    #[test]
    fn a_cgroup_without_a_container_goes_with_its_processes() {
        let host = Host::detect().expect("cgroups");
        if host.refusal().is_some() {
            return;
        }
        let (parent, id) = ("tool-test-check", "c".repeat(64));
        let group =
            Cgroup::create(&host, Some(parent), &id, &Limits::default(), &[]).expect("a cgroup");
        let mut child = joined(&group);
        let directory = tempfile::tempdir().expect("a directory");
        let layouts = ["one", "other"].map(|name| {
            let root = directory.path().join(name);
            Layout::from_parts(root.clone(), root.join("run"))
        });
        std::fs::create_dir_all(layouts[0].container_run(&id)).expect("a directory");
        let look_of = |layout: &Layout, repair| {
            let mut audit = Audit {
                layout,
                repair,
                findings: Vec::new(),
            };
            below(&mut audit, &host, parent).expect("a look");
            audit.findings
        };
        assert_eq!(look_of(&layouts[1], true), [], "it is the other engine's");
        let look = |repair| look_of(&layouts[0], repair);
        let found = look(false);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].to_string(),
            format!(
                "cgroup {parent}/{id}: its container does not exist, and has 1 processes in it"
            )
        );
        assert_eq!(look(true)[0].outcome, Outcome::Repaired);
        assert_eq!(look(true), []);
        child.wait().expect("it was killed");
        for hierarchy in std::fs::read_dir("/sys/fs/cgroup")
            .expect("hierarchies")
            .flatten()
        {
            // It is in most of them, and this is about the directory alone.
            let _ = std::fs::remove_dir(hierarchy.path().join(parent));
        }
    }
}
