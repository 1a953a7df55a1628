//! Processes of a container: the first one, and those that join it.

use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use bollard_stubs::models::{ContainerCreateBody, ExecConfig};
use libcontainer::oci_spec::runtime::{PosixRlimit, Process, UserBuilder};

use super::config::{without_nul, working_dir};
use super::{Capabilities, Security, User, environment, rlimit};
use crate::user_namespace::Ids;
use crate::{Error, Result};

/// What a joining process is made from.
#[derive(Clone, Copy, Debug)]
pub struct ExecInput<'a> {
    /// What is asked for.
    pub config: &'a ExecConfig,
    /// The request of the container, completed.
    pub container: &'a ContainerCreateBody,
    /// The container's root directory as it is now, `/proc/PID/root` for one.
    pub root: BorrowedFd<'a>,
    /// The ids that there are, unless there are all of them.
    pub ids: Option<&'a Ids>,
    /// Which capabilities there are.
    pub available: Capabilities,
    /// Whether limits may be raised above the engine's own.
    pub may_raise_limits: bool,
}

/// A joining process.
#[derive(Clone, Debug)]
pub struct BuiltProcess {
    /// In the specification's form, without capabilities, and with `/` for its working directory.
    pub process: Process,
    /// What its starter leaves to it just before the program starts.
    pub capabilities: Capabilities,
    /// The filter of system calls to load just before that.
    pub seccomp: super::Seccomp,
    /// Where the program starts, for [`go_to_working_dir`](super::go_to_working_dir).
    pub working_dir: PathBuf,
}

/// A process that joins a running container.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what makes no sense, such as a user that the
/// container does not have.
pub fn process(input: &ExecInput<'_>) -> Result<BuiltProcess> {
    let words = input.config.cmd.clone().unwrap_or_default();
    if words.first().is_none_or(String::is_empty) {
        return Err(Error::invalid("No exec command specified"));
    }
    without_nul("command", &words)?;
    let host_config = input.container.host_config.clone().unwrap_or_default();
    let wanted = match input.config.user.as_deref() {
        None | Some("") => input.container.user.as_deref().unwrap_or_default(),
        Some(user) => user,
    };
    let additional = host_config.group_add.as_deref().unwrap_or_default();
    let user = User::look_up(input.root, wanted, additional)?;
    let tty = input.config.tty.unwrap_or(false);
    let env = environment::of_process(
        input.container.hostname.as_deref().unwrap_or_default(),
        tty,
        input.container.env.as_deref().unwrap_or_default(),
        input.config.env.as_deref().unwrap_or_default(),
        &user.home,
    )?;
    let directory = match input.config.working_dir.as_deref() {
        None | Some("") => working_dir(input.container.working_dir.as_deref())?,
        Some(directory) => working_dir(Some(directory))?,
    };
    let privileged = input.config.privileged.unwrap_or(false);
    let capabilities = Capabilities::of_container(
        host_config.cap_add.as_deref().unwrap_or_default(),
        host_config.cap_drop.as_deref().unwrap_or_default(),
        privileged || host_config.privileged.unwrap_or(false),
        input.available,
    )?;
    let security = Security::of(&host_config)?;
    // Who looked at the warnings saw them when the container was made.
    let mut warnings = Vec::new();
    let rlimits = rlimit::limits(
        host_config.ulimits.as_deref().unwrap_or_default(),
        input.may_raise_limits,
        &mut warnings,
    )?;
    let process = of_parts(Parts {
        words,
        env,
        tty,
        user: &user,
        ids: input.ids,
        no_new_privileges: security.no_new_privileges,
        apparmor: security.apparmor,
        rlimits,
        oom_score_adj: host_config.oom_score_adj,
    })?;
    Ok(BuiltProcess {
        process,
        capabilities,
        seccomp: security.seccomp,
        working_dir: PathBuf::from(directory),
    })
}

/// What the first process and joining ones have alike.
pub(super) struct Parts<'a> {
    pub(super) words: Vec<String>,
    pub(super) env: Vec<String>,
    pub(super) tty: bool,
    pub(super) user: &'a User,
    pub(super) ids: Option<&'a Ids>,
    pub(super) no_new_privileges: bool,
    pub(super) apparmor: Option<String>,
    pub(super) rlimits: Vec<PosixRlimit>,
    pub(super) oom_score_adj: Option<i64>,
}

pub(super) fn of_parts(parts: Parts<'_>) -> Result<Process> {
    let mut user = UserBuilder::default()
        .uid(parts.user.uid)
        .gid(parts.user.gid)
        .umask(0o022_u32);
    if let Some(ids) = parts.ids {
        ids.check(parts.user.uid, parts.user.gid, &parts.user.groups)?;
    }
    if parts.ids.is_none_or(|ids| ids.setgroups) {
        user = user.additional_gids(parts.user.groups.clone());
    }
    let user = user
        .build()
        .map_err(|error| Error::system(error.to_string()))?;

    // The type's defaults are no statement of ours: each one is set or taken away.
    let mut process = Process::default();
    process
        .set_terminal(Some(parts.tty))
        .set_user(user)
        .set_args(Some(parts.words))
        .set_env(Some(parts.env))
        .set_cwd(PathBuf::from("/"))
        .set_capabilities(None)
        .set_rlimits((!parts.rlimits.is_empty()).then_some(parts.rlimits))
        // `false` would have libcontainer load filters at the wrong moment, so there is `true` or nothing.
        .set_no_new_privileges(parts.no_new_privileges.then_some(true))
        .set_apparmor_profile(parts.apparmor);
    if let Some(score) = parts.oom_score_adj {
        process.set_oom_score_adj(Some(oom_score_adj(score, parts.ids)?));
    }
    Ok(process)
}

/// Checks how readily a process is killed when memory runs out. Only the machine's root may have one spared more than this
/// one is.
pub(super) fn oom_score_adj(score: i64, ids: Option<&Ids>) -> Result<i32> {
    let score = i32::try_from(score)
        .ok()
        .filter(|score| (-1000..=1000).contains(score))
        .ok_or_else(|| {
            Error::invalid(format!(
                "Invalid value {score}, range for oom score adj is [-1000, 1000]"
            ))
        })?;
    let own = || {
        std::fs::read_to_string("/proc/self/oom_score_adj")
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    if ids.is_some()
        && let Some(own) = own().filter(|own: &i32| score < *own)
    {
        return Err(Error::invalid(format!(
            "--oom-score-adj {score}: an ordinary user may not go below {own}"
        )));
    }
    Ok(score)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    fn built(config: &ExecConfig, container: &ContainerCreateBody) -> Result<BuiltProcess> {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("etc")).expect("a directory");
        std::fs::write(directory.path().join("etc/passwd"), "u:x:7:8::/home/u:\n").expect("a file");
        let root = std::fs::File::open(directory.path()).expect("the root");
        process(&ExecInput {
            config,
            container,
            root: root.as_fd(),
            ids: None,
            available: Capabilities::all(),
            may_raise_limits: true,
        })
    }

    fn exec(words: &[&str]) -> ExecConfig {
        ExecConfig {
            cmd: Some(words.iter().map(|&word| word.to_owned()).collect()),
            ..ExecConfig::default()
        }
    }

    #[test]
    fn a_process_is_like_the_container_unless_it_says_otherwise() {
        let container = ContainerCreateBody {
            user: Some("u".to_owned()),
            hostname: Some("box".to_owned()),
            env: Some(vec!["A=1".to_owned()]),
            working_dir: Some("/srv".to_owned()),
            ..ContainerCreateBody::default()
        };
        let like = built(&exec(&["sh"]), &container).expect("a process");
        assert_eq!(
            (like.process.user().uid(), like.process.user().gid()),
            (7, 8)
        );
        assert_eq!(like.working_dir, PathBuf::from("/srv"));
        let env = like.process.env().clone().expect("an environment");
        assert!(env.contains(&"A=1".to_owned()) && env.contains(&"HOME=/home/u".to_owned()));
        assert_eq!(like.process.capabilities(), &None);
        assert_eq!(like.process.no_new_privileges(), None);
        assert_eq!(like.capabilities.bits(), 0xa804_25fb);

        let other = built(
            &ExecConfig {
                user: Some("9:9".to_owned()),
                working_dir: Some("/tmp".to_owned()),
                privileged: Some(true),
                tty: Some(true),
                ..exec(&["sh"])
            },
            &container,
        )
        .expect("a process");
        assert_eq!(other.process.user().uid(), 9);
        assert_eq!(other.working_dir, PathBuf::from("/tmp"));
        assert_eq!(other.capabilities, Capabilities::all());
        let env = other.process.env().clone().expect("an environment");
        assert!(env.contains(&"TERM=xterm".to_owned()));
    }

    #[test]
    fn nothing_to_run_is_an_error() {
        for words in [&[][..], &[""]] {
            let error =
                built(&exec(words), &ContainerCreateBody::default()).expect_err("no command");
            assert_eq!(error.to_string(), "No exec command specified");
        }
    }
}
