//! A private registry on a loopback port that the kernel picks.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::Certificate;
use crate::guard::Guard;

/// Serves until standard input closes, as the engine's guard does.
const SCRIPT: &str = r#"
{
    "$2" serve "$1/config.yml" </dev/null &
    echo "$!" >"$1/pid"
    wait "$!"
    echo "$?" >"$1/ended"
} &
read -r _
kill -KILL "$(cat "$1/pid")"
wait
rm -rf "$1"
"#;

/// The one user of a registry that wants a login.
const USER: &str = "tester";
const PASSWORD: &str = "sesame-for-tests";
/// The user as `htpasswd -B` writes it: with bcrypt of the password, the only hash that the registry takes.
const HTPASSWD: &str = "tester:$2b$05$1RhNmSCcoS07vAb2yrw8R.FaIz66NtilME94CbOLjkhMKNsgesJtC\n";
/// The user and the password in base64, as HTTP has it.
const AUTHORIZATION: &str = "Basic dGVzdGVyOnNlc2FtZS1mb3ItdGVzdHM=";

/// A running `docker-registry` (Debian's package of the distribution registry) with no image in it.
///
/// Its address is in 127.0.0.0/8, which engines speak plain HTTP to without being told.
#[derive(Debug)]
pub struct Registry {
    address: String,
    /// Where its images are.
    data: PathBuf,
    wants_login: bool,
    _guard: Guard,
}

impl Registry {
    /// Starts a registry and waits until it listens; the error says what is missing.
    ///
    /// # Errors
    /// If this machine has no `docker-registry`, or it does not come up; the text then holds its log.
    pub fn start() -> Result<Registry, String> {
        Registry::start_with(false, None)
    }

    /// Starts another registry of what this one has, which speaks TLS with that certificate.
    ///
    /// # Errors
    /// As of [`Registry::start`].
    pub fn over_tls(&self, certificate: &Certificate) -> Result<Registry, String> {
        Registry::start_with(false, Some((&self.data, certificate)))
    }

    /// Starts a registry that lets in nobody but [`Registry::USER`], with [`Registry::PASSWORD`].
    ///
    /// # Errors
    /// As of [`Registry::start`].
    pub fn start_with_login() -> Result<Registry, String> {
        Registry::start_with(true, None)
    }

    /// The user of a registry that wants a login.
    pub const USER: &'static str = USER;
    /// The user's password.
    pub const PASSWORD: &'static str = PASSWORD;

    fn start_with(
        wants_login: bool,
        tls: Option<(&PathBuf, &Certificate)>,
    ) -> Result<Registry, String> {
        let program = crate::find_program("docker-registry")
            .ok_or_else(|| "docker-registry (Debian: docker-registry)".to_owned())?;
        let failed = |error: &dyn fmt::Display| format!("a docker-registry that starts: {error}");
        let directory = tempfile::Builder::new()
            .prefix("registry")
            .tempdir()
            .map_err(|error| failed(&error))?
            // The guard removes it, which it still can when this process is killed.
            .keep();
        let data = match tls {
            Some((data, _)) => data.clone(),
            None => directory.join("data"),
        };
        let mut http = "addr: '127.0.0.1:0'".to_owned();
        if let Some((_, certificate)) = tls {
            for (name, content) in [
                ("certificate", &certificate.certificate),
                ("key", &certificate.key),
            ] {
                std::fs::write(directory.join(name), content).map_err(|error| failed(&error))?;
            }
            let file = |name| directory.join(name).display().to_string();
            http += &format!(
                ", tls: {{certificate: '{}', key: '{}'}}",
                file("certificate"),
                file("key")
            );
        }
        let mut configuration = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{{http}}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\n",
            data.display()
        );
        if wants_login {
            let users = directory.join("users");
            std::fs::write(&users, HTPASSWD).map_err(|error| failed(&error))?;
            configuration += &format!(
                "auth: {{htpasswd: {{realm: tests, path: '{}'}}}}\n",
                users.display()
            );
        }
        std::fs::write(directory.join("config.yml"), configuration)
            .map_err(|error| failed(&error))?;
        let guard = Guard::start(
            SCRIPT,
            &directory,
            &[program.to_str().unwrap_or("docker-registry")],
        )
        .map_err(|error| failed(&error))?;
        let address = guard.until(Duration::from_secs(30), |guard| listening(&guard.log()));
        match address {
            Some(address) => Ok(Registry {
                address,
                data,
                wants_login,
                _guard: guard,
            }),
            None => Err(failed(&guard.log())),
        }
    }

    /// Host and port, as a reference begins with them.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What lets its user in, if it wants a login: the value of `Authorization`.
    pub(crate) fn login(&self) -> Option<&'static str> {
        self.wants_login.then_some(AUTHORIZATION)
    }
}

/// The address that the registry says it listens on.
fn listening(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("listening on ")?;
    let address: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
        .collect();
    // Half a line may have been written so far; the address is whole once something follows it.
    (address.len() < rest.len()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::listening;

    #[test]
    fn reads_the_port_from_the_log() {
        let log = r#"time="x" level=info msg="listening on 127.0.0.1:34567" go.version=go1.19"#;
        assert_eq!(listening(log).as_deref(), Some("127.0.0.1:34567"));
        assert_eq!(listening("listening on 127.0.0.1:345"), None);
    }
}
