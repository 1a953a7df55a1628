//! A private `sshd` and an `ssh` configured for it.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::guard::Guard;

/// Serves until standard input closes. A mount namespace has room for the directory that sshd insists on, and a process
/// namespace takes the sessions along.
const SCRIPT: &str = r#"
unshare --mount --pid --fork --kill-child --mount-proc sh -c '
    mount -t tmpfs tmpfs /run && mkdir /run/sshd
    { "$2" -D -e -f "$1/sshd_config" </dev/null; echo "$?" >"$1/ended"; } &
    read -r _
' sshd "$1" "$2"
rm -rf "$1"
"#;

/// A running `sshd` on a loopback port, with keys of its own. It logs in the user that runs the test, and nobody else.
#[derive(Debug)]
pub struct Sshd {
    port: u16,
    directory: PathBuf,
    // Behind the rest, because dropping it takes the directory away.
    _guard: Guard,
}

impl Sshd {
    /// Starts a server and waits until it listens; the error says what is missing.
    ///
    /// # Errors
    /// If this machine has no `sshd`, `ssh` or `docker` (for the other end of a connection), if this process is not
    /// root, or if the server does not come up; the text then holds its log.
    pub fn start() -> Result<Sshd, String> {
        let find = |name: &str, package: &str| {
            crate::find_program(name).ok_or_else(|| format!("{name} (Debian: {package})"))
        };
        let sshd = find("sshd", "openssh-server")?;
        let ssh = find("ssh", "openssh-client")?;
        find("docker", "docker.io")?;
        if !rustix::process::geteuid().is_root() {
            return Err("sshd (Debian: openssh-server), and to be root".to_owned());
        }
        let failed = |what: &str| format!("an sshd that starts: {what}");
        let io = |error: std::io::Error| failed(&error.to_string());
        let directory = tempfile::Builder::new()
            .prefix("sshd")
            .tempdir()
            .map_err(io)?
            // The guard removes it, which it still can when this process is killed.
            .keep();
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(io)?
            .port();
        for key in ["host_key", "user_key"] {
            make_key(&directory.join(key)).map_err(|error| failed(&error))?;
        }
        write_files(&directory, port, &ssh).map_err(io)?;
        let guard =
            Guard::start(SCRIPT, &directory, &[sshd.to_str().unwrap_or("sshd")]).map_err(io)?;
        let listens = guard.until(Duration::from_secs(30), |_| {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        match listens {
            Some(_) => Ok(Sshd {
                port,
                directory,
                _guard: guard,
            }),
            None => Err(failed(&guard.log())),
        }
    }

    /// A directory with an `ssh` that has the user's key and knows the server's: to be the first of `PATH`.
    pub fn path(&self) -> PathBuf {
        self.directory.join("bin")
    }

    /// The server's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The way to an engine's socket through this server, as `-H` and `DOCKER_HOST` want it.
    pub fn host(&self, socket: &Path) -> String {
        format!("ssh://root@127.0.0.1:{}{}", self.port, socket.display())
    }
}

fn make_key(path: &Path) -> Result<(), String> {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .output();
    match made {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(format!("ssh-keygen: {error}")),
    }
}

fn write_files(directory: &Path, port: u16, ssh: &Path) -> std::io::Result<()> {
    let at = |name: &str| directory.join(name).display().to_string();
    let public = |key: &str| std::fs::read_to_string(directory.join(format!("{key}.pub")));
    std::fs::write(directory.join("authorized_keys"), public("user_key")?)?;
    let known = format!("[127.0.0.1]:{port} {}", public("host_key")?);
    std::fs::write(directory.join("known_hosts"), known)?;
    let server = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
         StrictModes no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nMaxStartups 200\nMaxSessions 200\n",
        at("host_key"),
        at("authorized_keys"),
    );
    std::fs::write(directory.join("sshd_config"), server)?;
    let client = format!(
        "IdentityFile {}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {}\n\
         StrictHostKeyChecking yes\nBatchMode yes\n",
        at("user_key"),
        at("known_hosts"),
    );
    std::fs::write(directory.join("ssh_config"), client)?;
    // ssh takes its home from the list of users, not from the environment, so its configuration goes on its line.
    let wrapper = format!(
        "#!/bin/sh\nexec {} -F {} \"$@\"\n",
        ssh.display(),
        at("ssh_config")
    );
    std::fs::create_dir(directory.join("bin"))?;
    let path = directory.join("bin/ssh");
    std::fs::write(&path, wrapper)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
}
