//! The environment of a container's processes.

use super::config::without_nul;
use crate::Result;

/// Where programs are looked for if neither the image nor the request says so.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment of a container's first process: the engine's own entries, then `env`, which may change them, and
/// which removes a name that it has without `=`.
///
/// `HOME` is there always: libcontainer would ask the C library, which may load modules from the image as root. An empty
/// one means the user's, as with runc.
pub(super) fn of_container(
    hostname: &str,
    tty: bool,
    env: &[String],
    home: &str,
) -> Result<Vec<String>> {
    let mut entries = vec![
        format!("PATH={DEFAULT_PATH}"),
        format!("HOSTNAME={hostname}"),
    ];
    if tty {
        entries.push("TERM=xterm".to_owned());
    }
    complete(entries, env, home)
}

/// The environment of a process that joins: what the first process would have if it had a terminal when this one has
/// one, then `env`. The home directory is the joining user's, unless someone chose it.
pub(super) fn of_process(
    hostname: &str,
    tty: bool,
    container: &[String],
    env: &[String],
    home: &str,
) -> Result<Vec<String>> {
    let joined: Vec<String> = container.iter().chain(env).cloned().collect();
    of_container(hostname, tty, &joined, home)
}

fn complete(mut entries: Vec<String>, env: &[String], home: &str) -> Result<Vec<String>> {
    without_nul("environment entry", env)?;
    replace(&mut entries, env);
    let found = entries.iter_mut().find(|entry| entry.starts_with("HOME="));
    match found {
        Some(entry) if entry == "HOME=" => entry.push_str(home),
        Some(_) => {}
        None => entries.push(format!("HOME={home}")),
    }
    Ok(entries)
}

/// Entries replace their predecessors in place; a name alone removes.
fn replace(entries: &mut Vec<String>, env: &[String]) {
    for entry in env {
        let (name, value) = match entry.split_once('=') {
            Some((name, _)) => (name, Some(entry)),
            None => (entry.as_str(), None),
        };
        if name.is_empty() {
            // Neither execve nor a shell can do anything with it, and a client sends none.
            continue;
        }
        let place = entries.iter().position(|entry| {
            entry
                .split_once('=')
                .map_or(entry.as_str(), |(name, _)| name)
                == name
        });
        match (place, value) {
            (Some(place), Some(value)) => entries[place].clone_from(value),
            (Some(place), None) => {
                entries.remove(place);
            }
            (None, Some(value)) => entries.push(value.clone()),
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|&entry| entry.to_owned()).collect()
    }

    #[test]
    fn a_container_has_docker_s_variables() {
        let path = format!("PATH={DEFAULT_PATH}");
        assert_eq!(
            of_container("box", false, &[], "/root").expect("entries"),
            env(&[&path, "HOSTNAME=box", "HOME=/root"])
        );
        assert_eq!(
            of_container(
                "box",
                true,
                &env(&["A=1", "PATH=/bin", "TERM", "B=x=y"]),
                "/"
            )
            .expect("entries"),
            env(&["PATH=/bin", "HOSTNAME=box", "A=1", "B=x=y", "HOME=/"])
        );
        assert_eq!(
            of_container("box", true, &env(&["HOME=/tmp", "A=1", "A=2"]), "/").expect("entries"),
            env(&[&path, "HOSTNAME=box", "TERM=xterm", "HOME=/tmp", "A=2"])
        );
    }

    #[test]
    fn a_joining_process_has_the_container_s_variables() {
        let container = env(&["PATH=/bin", "A=1"]);
        assert_eq!(
            of_process("box", true, &container, &env(&["A=2", "B=3"]), "/home/u").expect("entries"),
            env(&[
                "PATH=/bin",
                "HOSTNAME=box",
                "TERM=xterm",
                "A=2",
                "B=3",
                "HOME=/home/u"
            ])
        );
    }

    #[test]
    fn an_empty_home_is_the_user_s() {
        let path = format!("PATH={DEFAULT_PATH}");
        let expected = env(&[&path, "HOSTNAME=box", "HOME=/root", "A="]);
        let given = env(&["HOME=/tmp", "HOME=", "A="]);
        assert_eq!(
            of_container("box", false, &given, "/root").expect("entries"),
            expected
        );
        let entries = of_process(
            "box",
            false,
            &env(&["HOME=/tmp"]),
            &env(&["HOME="]),
            "/home/u",
        );
        assert!(
            entries
                .expect("entries")
                .contains(&"HOME=/home/u".to_owned())
        );
    }

    #[test]
    fn a_nul_is_refused() {
        of_container("box", false, &env(&["A=\0"]), "/").expect_err("a NUL");
    }

    proptest::proptest! {
        #[test]
        fn names_are_unique_and_complete(given in proptest::collection::vec("[AB]{0,2}(=[ab=]{0,3})?", 0..8)) {
            let entries = of_container("box", false, &given, "/").expect("entries");
            let mut names: Vec<_> = entries.iter().map(|entry| entry.split_once('=').expect("a value").0).collect();
            proptest::prop_assert!(entries.iter().any(|entry| entry == "HOME=/"));
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            proptest::prop_assert_eq!(count, names.len());
        }
    }
}
