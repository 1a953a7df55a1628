//! What happens to a container that ended, as a request has it.

use bollard_stubs::models::{HostConfig, RestartPolicyNameEnum};

use crate::{Error, Result};

/// The words for it.
pub(super) const NAMES: [&str; 5] = ["", "no", "always", "on-failure", "unless-stopped"];

/// Refuses a policy that makes no sense, in Docker's words.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter)
pub(super) fn check(host_config: &HostConfig) -> Result<()> {
    use RestartPolicyNameEnum as Name;
    let Some(policy) = &host_config.restart_policy else {
        return Ok(());
    };
    let name = policy.name.unwrap_or(Name::EMPTY);
    let retries = policy.maximum_retry_count.unwrap_or(0);
    if retries != 0 && name != Name::ON_FAILURE {
        return Err(Error::invalid(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'",
        ));
    }
    if retries < 0 {
        return Err(Error::invalid(
            "invalid restart policy: maximum retry count cannot be negative",
        ));
    }
    let restarts = !matches!(name, Name::EMPTY | Name::NO);
    if restarts && host_config.auto_remove.unwrap_or(false) {
        return Err(Error::invalid(
            "can't create 'AutoRemove' container with restart policy",
        ));
    }
    Ok(())
}

/// The error for a word that is none.
pub(super) fn unknown(name: &str) -> Error {
    Error::invalid(format!(
        "invalid restart policy: unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
    ))
}

#[cfg(test)]
mod tests {
    use bollard_stubs::models::RestartPolicy;

    use super::*;

    #[test]
    fn policies_that_make_no_sense_are_refused() {
        use RestartPolicyNameEnum as Name;
        let check = |name, retries, auto_remove| {
            check(&HostConfig {
                restart_policy: Some(RestartPolicy {
                    name: Some(name),
                    maximum_retry_count: Some(retries),
                }),
                auto_remove: Some(auto_remove),
                ..HostConfig::default()
            })
        };
        assert!(check(Name::NO, 0, true).is_ok());
        assert!(check(Name::EMPTY, 0, true).is_ok());
        assert!(check(Name::ON_FAILURE, 3, false).is_ok());
        for (name, retries, auto_remove, part) in [
            (Name::ALWAYS, 3, false, "can only be used with 'on-failure'"),
            (Name::ON_FAILURE, -1, false, "cannot be negative"),
            (Name::ALWAYS, 0, true, "can't create 'AutoRemove'"),
        ] {
            let error = check(name, retries, auto_remove).expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
