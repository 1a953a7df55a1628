//! Kernel parameters of the container's namespaces, as in `--sysctl net.ipv4.ip_forward=1`.

use super::InvalidValue;

const NAMES: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];
const PREFIXES: [&str; 2] = ["net.", "fs.mqueue."];

/// Parses `NAME=VALUE` of a parameter that a namespace has for itself. Any other would change the host's.
pub(crate) fn parse(text: &str) -> Result<(String, String), InvalidValue> {
    text.split_once('=')
        .filter(|(name, _)| {
            NAMES.contains(name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| InvalidValue::new(format!("sysctl '{text}' is not allowed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_of_a_namespace() {
        for (text, name, value) in [
            ("net.x=1", "net.x", "1"),
            ("net.a=b=c", "net.a", "b=c"),
            ("kernel.msgmax=1", "kernel.msgmax", "1"),
            ("kernel.shm_rmid_forced=", "kernel.shm_rmid_forced", ""),
            ("fs.mqueue.x=1", "fs.mqueue.x", "1"),
        ] {
            assert_eq!(parse(text), Ok((name.to_owned(), value.to_owned())));
        }
        for text in [
            "",
            "=x",
            "a=b",
            "net=1",
            "net.x",
            "kernel.foo=1",
            "kernel.msgmaxx=1",
            " net.x=1",
        ] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                format!("sysctl '{text}' is not allowed")
            );
        }
    }
}
