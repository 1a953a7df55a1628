//! `SecurityOpt`: what `--security-opt` says.

use bollard_stubs::models::HostConfig;

use crate::{Error, Result};

/// Which filter of system calls a container has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seccomp {
    /// The profile that a container has if nobody says otherwise.
    #[default]
    Builtin,
    /// No filter.
    Unconfined,
    /// This profile, in Docker's JSON format.
    Custom(String),
}

/// The security options of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// The filter of system calls.
    pub seccomp: Seccomp,
    /// Whether set-user-id programs give nothing.
    pub no_new_privileges: bool,
    /// The AppArmor profile to run under; unconfined where there is none.
    pub apparmor: Option<String>,
    /// Whether the container may write to its cgroups.
    pub writable_cgroups: bool,
}

impl Security {
    /// Reads the security options of a request.
    ///
    /// A privileged container has no filter unless it names one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for an option that does not exist, and
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for one that this machine or this engine lacks.
    pub fn of(host_config: &HostConfig) -> Result<Security> {
        let privileged = host_config.privileged.unwrap_or(false);
        let mut security = Security {
            seccomp: if privileged {
                Seccomp::Unconfined
            } else {
                Seccomp::Builtin
            },
            ..Security::default()
        };
        for option in host_config.security_opt.iter().flatten() {
            security.take(option)?;
        }
        if security.apparmor.is_some() && !apparmor_is_enabled() {
            return Err(Error::not_implemented(format!(
                "--security-opt apparmor={}: AppArmor is not enabled on this machine",
                security.apparmor.as_deref().unwrap_or_default()
            )));
        }
        Ok(security)
    }

    fn take(&mut self, option: &str) -> Result<()> {
        if option == "no-new-privileges" {
            self.no_new_privileges = true;
            return Ok(());
        }
        if option == "disable" {
            // What `label=disable` was called once.
            return Ok(());
        }
        // Older clients separate by a colon.
        let Some((key, value)) = option.split_once('=').or_else(|| option.split_once(':')) else {
            return Err(Error::invalid(format!(
                "invalid --security-opt 1: \"{option}\""
            )));
        };
        match key {
            "no-new-privileges" => self.no_new_privileges = boolean(option, value)?,
            "writable-cgroups" => self.writable_cgroups = boolean(option, value)?,
            "seccomp" => {
                self.seccomp = match value {
                    "builtin" => Seccomp::Builtin,
                    "unconfined" => Seccomp::Unconfined,
                    profile => Seccomp::Custom(profile.to_owned()),
                }
            }
            "apparmor" => {
                self.apparmor = match value {
                    "" | "unconfined" => None,
                    profile => Some(profile.to_owned()),
                }
            }
            "label" if value == "disable" => {}
            "label" => {
                return Err(Error::not_implemented(format!(
                    "--security-opt {option}: the embedded engine does not label processes; leave the option out, or use --security-opt label=disable"
                )));
            }
            _ => {
                return Err(Error::invalid(format!(
                    "invalid --security-opt 2: \"{option}\""
                )));
            }
        }
        Ok(())
    }
}

/// The values that Go's `strconv.ParseBool` takes, which is what clients were written against.
fn boolean(option: &str, value: &str) -> Result<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(Error::invalid(format!(
            "invalid --security-opt 2: \"{option}\""
        ))),
    }
}

fn apparmor_is_enabled() -> bool {
    std::fs::read("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|enabled| enabled.first() == Some(&b'Y'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(options: &[&str], privileged: bool) -> Result<Security> {
        Security::of(&HostConfig {
            security_opt: Some(options.iter().map(|&option| option.to_owned()).collect()),
            privileged: Some(privileged),
            ..HostConfig::default()
        })
    }

    #[test]
    fn options_are_read() {
        let seccomp =
            |options: &[&str], privileged| of(options, privileged).expect("options").seccomp;
        assert_eq!(seccomp(&[], false), Seccomp::Builtin);
        assert_eq!(seccomp(&[], true), Seccomp::Unconfined);
        assert_eq!(seccomp(&["seccomp=builtin"], true), Seccomp::Builtin);
        assert_eq!(seccomp(&["seccomp:unconfined"], false), Seccomp::Unconfined);
        assert_eq!(
            seccomp(&["seccomp={\"a\":\"b=c\"}"], false),
            Seccomp::Custom("{\"a\":\"b=c\"}".to_owned())
        );
        for (option, set) in [
            ("no-new-privileges", true),
            ("no-new-privileges=true", true),
            ("no-new-privileges:0", false),
        ] {
            assert_eq!(
                of(&[option], false).expect("an option").no_new_privileges,
                set,
                "{option}"
            );
        }
        assert!(
            of(&["writable-cgroups=true"], false)
                .expect("an option")
                .writable_cgroups
        );
        of(&["label=disable", "apparmor=unconfined"], false).expect("nothing that is missing");
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (option, message) in [
            ("x", "invalid --security-opt 1: \"x\""),
            ("x=y", "invalid --security-opt 2: \"x=y\""),
            (
                "no-new-privileges=maybe",
                "invalid --security-opt 2: \"no-new-privileges=maybe\"",
            ),
        ] {
            assert_eq!(
                of(&[option], false).expect_err("no option").to_string(),
                message
            );
        }
        let error = of(&["label=type:svirt_t"], false).expect_err("no labels");
        assert_eq!(error.status(), 501);
        assert!(error.to_string().contains("label=type:svirt_t"), "{error}");
    }
}
