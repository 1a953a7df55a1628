//! An engine on another machine, reached through `ssh`: the program is run once for each connection, and runs
//! `docker system dial-stdio` over there, which passes bytes to and from the engine's socket.
//!
//! Everything about the machine is ssh's own business: its configuration, its keys, its known hosts. It has no terminal
//! and so asks for nothing.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Pid, Signal, kill_process};

use crate::connection::Carrier;
use crate::error::{Error, ErrorKind, os_text};
use crate::helper_process::{find, variable};

const PROGRAM: &str = "ssh";
const NO_PASSWORD: &str = "plain-text password is not supported";
/// As much as is kept of what `ssh` says.
const DIAGNOSTICS: usize = 16 << 10;
/// As much of it as is shown.
const LONGEST_QUOTE: usize = 4096;
/// How long a connection that has ended waits to be told why, and one that was dropped for its process to go.
const LINGER: Duration = Duration::from_secs(2);

/// Which engine, on which machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SshAddress {
    /// The name to log in with; without, ssh's configuration or the name of the local user decides.
    pub user: Option<String>,
    /// The machine: a name, an address, or a `Host` of ssh's configuration. An IPv6 address has no brackets here.
    pub host: String,
    /// The port; without, ssh's configuration decides.
    pub port: Option<u16>,
    /// The path of the engine's socket over there; empty for what `docker` uses there by default.
    pub socket: String,
}

impl SshAddress {
    /// The words behind `ssh`.
    fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(user) = &self.user {
            words.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            words.extend(["-p".to_owned(), port.to_string()]);
        }
        let options = ["-o ConnectTimeout=30", "-T", "--", &self.host];
        words.extend(options.map(str::to_owned));
        words.push(self.remote_command());
        words
    }

    /// What the shell of the other machine is to run.
    fn remote_command(&self) -> String {
        match self.socket.trim_matches('/') {
            "" => "docker system dial-stdio".to_owned(),
            _ => {
                let host = quoted(&format!("--host=unix://{}", self.socket));
                format!("docker {host} system dial-stdio")
            }
        }
    }
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=:/.,@%+".contains(&byte);
    if word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A running `ssh`. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct SshProcess {
    child: Mutex<Child>,
    diagnostics: File,
    command_line: String,
}

/// Starts `ssh` with these variables and returns our end of its standard input and output.
pub(crate) fn start(
    address: &SshAddress,
    environment: &[(OsString, OsString)],
) -> Result<(UnixStream, SshProcess), Error> {
    let arguments = address.arguments();
    let command_line = format!("{PROGRAM} {}", arguments.join(" "));
    let failed = |what: String| {
        let message = format!("the command [{command_line}] can not be started: {what}");
        Error::new(ErrorKind::Connect, message)
    };
    let path = find(PROGRAM, variable(environment, "PATH")).map_err(failed)?;
    let system = |error: io::Error| failed(os_text(&error)).with_source(error);

    let (ours, theirs) = UnixStream::pair().map_err(system)?;
    let theirs = OwnedFd::from(theirs);
    let diagnostics = diagnostics().map_err(system)?;
    let mut command = Command::new(&path);
    command
        .arg0(PROGRAM)
        .args(&arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(theirs.try_clone().map_err(system)?)
        .stdout(theirs)
        .stderr(Stdio::from(diagnostics.try_clone().map_err(system)?));
    in_a_session_of_its_own(&mut command);
    let child = command.spawn().map_err(system)?;
    let process = SshProcess {
        child: Mutex::new(child),
        diagnostics,
        command_line,
    };
    // The end of the child's is the end of the stream, so nobody else may hold theirs: it goes with `command`.
    Ok((ours, process))
}

/// The Ctrl-C at our terminal is for the container, and reaches it through this very process.
#[expect(
    unsafe_code,
    reason = "the standard library has no other way to a new session"
)]
fn in_a_session_of_its_own(command: &mut Command) {
    // SAFETY: between fork and exec only what is safe in a signal handler may be called, and setsid(2) is a mere
    // system call: it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

/// A place for what the child says, which can not grow: nobody reads it unless the child fails.
fn diagnostics() -> io::Result<File> {
    let file = memfd_create("ssh", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let file = File::from(file);
    file.set_len(DIAGNOSTICS as u64)?;
    fcntl_add_seals(&file, SealFlags::GROW)?;
    Ok(file)
}

impl SshProcess {
    /// The child's status once it has ended, waited for no longer than this.
    fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(100);
        loop {
            let ended = self
                .child
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .try_wait();
            match ended {
                Ok(None) if start.elapsed() < limit => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(10));
                }
                Ok(status) => return status,
                // Somebody else has waited for it.
                Err(_) => return None,
            }
        }
    }

    /// What the child said, fit for a terminal.
    fn said(&self) -> String {
        let mut bytes = vec![0; DIAGNOSTICS];
        // What can not be read is not shown.
        let read = self.diagnostics.read_at(&mut bytes, 0).unwrap_or_default();
        bytes.truncate(read);
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(read);
        let text = String::from_utf8_lossy(&bytes[..end]);
        let shown = |letter: &char| *letter == '\n' || !letter.is_control();
        let text: String = text.chars().filter(shown).take(LONGEST_QUOTE).collect();
        text.trim().to_owned()
    }
}

impl Carrier for SshProcess {
    /// Why the stream has ended, unless all is well: for the engine has closed it, or the child does not end.
    fn failure(&self) -> Option<Error> {
        let status = self.wait(LINGER)?;
        if status.success() {
            return None;
        }
        let status = match status.code() {
            Some(code) => format!("exit status {code}"),
            None => status.to_string(),
        };
        let message = format!(
            "command [{}] has exited with {status}, make sure the URL is valid, and Docker 18.09 or later is installed \
             on the remote host: stderr={}",
            self.command_line,
            self.said()
        );
        Some(Error::new(ErrorKind::Connect, message))
    }
}

impl Drop for SshProcess {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Ok(None) = child.try_wait()
            && let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
        {
            // The number is still the child's, for nobody has waited for it.
            let _ = kill_process(pid, Signal::TERM);
        }
        if self.wait(LINGER).is_none() {
            let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The text of an address of ssh, without `ssh://`, or what is wrong with it.
pub(crate) fn parse(rest: &str) -> Result<SshAddress, String> {
    read(rest).map_err(|what| {
        // Any character of a password may be what is wrong, and then the error shows the text around it.
        let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(':') {
            NO_PASSWORD.to_owned()
        } else {
            what
        }
    })
}

fn read(rest: &str) -> Result<SshAddress, String> {
    if let Some((_, fragment)) = rest.split_once('#') {
        return Err(format!("fragments are not allowed: {fragment:?}"));
    }
    if let Some((_, query)) = rest.split_once('?') {
        return Err(format!("query parameters are not allowed: {query:?}"));
    }
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let (user, host_and_port) = match authority.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, authority),
    };
    // It would be seen by every user of this machine in the list of processes.
    if user.is_some_and(|user| user.contains(':')) {
        return Err(NO_PASSWORD.to_owned());
    }
    let user = user
        .filter(|user| !user.is_empty())
        .map(decode)
        .transpose()?;
    let (host, port) = match host_and_port.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or_else(|| "missing ']' in host".to_owned())?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| format!("invalid IPv6 address: {host:?}"))?;
            match port.strip_prefix(':') {
                None if !port.is_empty() => return Err(format!("invalid port: {port:?}")),
                stripped => (host, stripped.unwrap_or_default()),
            }
        }
        None => host_and_port.split_once(':').unwrap_or((host_and_port, "")),
    };
    if host.is_empty() {
        return Err("hostname is empty".to_owned());
    }
    let legal =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    if host.starts_with('-') || !host.bytes().all(legal) {
        return Err(format!("invalid hostname: {host:?}"));
    }
    let port = match port {
        "" => None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let port = digits.parse().ok().filter(|&port: &u16| port != 0);
            Some(port.ok_or_else(|| format!("invalid port: {digits:?}"))?)
        }
        other => return Err(format!("invalid port: {other:?}")),
    };
    Ok(SshAddress {
        user,
        host: host.to_owned(),
        port,
        socket: decode(path)?,
    })
}

/// Undoes the percent-encoding of a URL's part.
fn decode(text: &str) -> Result<String, String> {
    let decoded = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| format!("{text:?} is not UTF-8"))?;
    if decoded.chars().any(char::is_control) {
        return Err(format!("{text:?} has a control character"));
    }
    Ok(decoded.into_owned())
}

impl std::fmt::Display for SshAddress {
    /// As an endpoint begins with it: `ssh://user@host:22/socket`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
        const USER: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'.')
            .remove(b'_')
            .remove(b'~');
        const PATH: &AsciiSet = &USER.remove(b'/');
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{}@", utf8_percent_encode(user, USER))?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", utf8_percent_encode(&self.socket, PATH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_dockers() {
        for (text, expected) in [
            (
                "host",
                &[
                    "-o ConnectTimeout=30",
                    "-T",
                    "--",
                    "host",
                    "docker system dial-stdio",
                ][..],
            ),
            (
                "me@host:2222/",
                &[
                    "-l",
                    "me",
                    "-p",
                    "2222",
                    "-o ConnectTimeout=30",
                    "-T",
                    "--",
                    "host",
                    "docker system dial-stdio",
                ],
            ),
            (
                "[::1]/run/docker.sock",
                &[
                    "-o ConnectTimeout=30",
                    "-T",
                    "--",
                    "::1",
                    "docker --host=unix:///run/docker.sock system dial-stdio",
                ],
            ),
            (
                "host/a%20b;'c",
                &[
                    "-o ConnectTimeout=30",
                    "-T",
                    "--",
                    "host",
                    r"docker '--host=unix:///a b;'\''c' system dial-stdio",
                ],
            ),
        ] {
            let address = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(address.arguments(), expected, "{text}");
            let printed = address.to_string();
            let again = parse(printed.strip_prefix("ssh://").expect("a scheme"));
            assert_eq!(again, Ok(address), "{printed}");
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        for (text, expected) in [
            ("", "hostname is empty"),
            ("u@", "hostname is empty"),
            ("/run/x", "hostname is empty"),
            ("u:p@host", "plain-text password is not supported"),
            ("host?x=1", "query parameters are not allowed: \"x=1\""),
            ("host/p#f", "fragments are not allowed: \"f\""),
            ("-oProxyCommand=x", "invalid hostname: \"-oProxyCommand=x\""),
            ("a b", "invalid hostname: \"a b\""),
            ("host:99999", "invalid port: \"99999\""),
            ("host:x", "invalid port: \"x\""),
            ("[::1", "missing ']' in host"),
            ("[::1]x", "invalid port: \"x\""),
            ("[host]", "invalid IPv6 address: \"host\""),
            ("a%0ab@host", "\"a%0ab\" has a control character"),
        ] {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }
}
