//! Kernel parameters of a container's own namespaces.

use std::collections::HashMap;
use std::path::Path;

use crate::{Error, Result};

/// Which namespaces a container has for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) ipc: bool,
    pub(super) network: bool,
    pub(super) uts: bool,
    pub(super) user: bool,
    /// The network namespace is made for this container, not another one's.
    pub(super) new_network: bool,
}

/// Parameters of the IPC namespace beside `fs.mqueue.*`.
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// What is set unless the request says otherwise: everybody may listen on every port and send a ping.
const DEFAULTS: [(&str, &str); 2] = [
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    ("net.ipv4.ping_group_range", "0 2147483647"),
];

/// Refuses those of single interfaces for an ordinary user: the engine cannot enter the container's network and come back.
pub(super) fn check_interfaces(asked: &HashMap<String, String>) -> Result<()> {
    let mut names = asked.keys().map(|name| name.replace('/', "."));
    match names.find(|name| is_of_interface(name)) {
        None => Ok(()),
        Some(name) => Err(Error::not_implemented(format!(
            "the embedded engine of an ordinary user sets no kernel parameters of single interfaces, as sysctl \"{name}\" is: \
             set that of \"default\" or \"all\""
        ))),
    }
}

/// Takes out those of single interfaces, which are there only when the container's network is connected.
pub(super) fn of_interfaces(set: &mut HashMap<String, String>) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = set.extract_if(|name, _| is_of_interface(name)).collect();
    list.sort();
    list
}

fn is_of_interface(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["net", "ipv4" | "ipv6", "conf" | "neigh", interface, _, ..] => {
            !matches!(interface, "all" | "default" | "lo")
        }
        _ => false,
    }
}

/// The parameters to set.
///
/// A parameter that no namespace of the container has would change the machine, so it is refused.
pub(super) fn of_container(
    asked: &HashMap<String, String>,
    own: Own,
) -> Result<HashMap<String, String>> {
    let mut set = HashMap::new();
    // In a user namespace the groups of the range have to be mapped, and the ports are the owner's to allow.
    if own.new_network && !own.user {
        for (name, value) in DEFAULTS {
            // A kernel may be built without IPv4.
            if Path::new("/proc/sys").join(name.replace('.', "/")).exists() {
                set.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    for (name, value) in asked {
        let dotted = name.replace('/', ".");
        check(&dotted, own)?;
        if value.contains('\0') {
            return Err(Error::invalid(format!(
                "sysctl {dotted:?} has a value with a NUL character"
            )));
        }
        set.insert(dotted, value.clone());
    }
    Ok(set)
}

fn check(name: &str, own: Own) -> Result<()> {
    // What follows becomes a path below /proc/sys.
    let parts_are_names = name
        .split('.')
        .all(|part| !part.is_empty() && !part.contains(['\0', '\n']));
    if !parts_are_names {
        return Err(Error::invalid(format!(
            "sysctl {name:?} is not a name of a kernel parameter"
        )));
    }
    if IPC.contains(&name) || name.starts_with("fs.mqueue.") {
        return refuse_unless(own.ipc, name, "is not allowed in the host ipc namespace");
    }
    if name.starts_with("net.") {
        return refuse_unless(
            own.network,
            name,
            "is not allowed in the host network namespace",
        );
    }
    if name.starts_with("user.") {
        return refuse_unless(own.user, name, "is not allowed in the host user namespace");
    }
    if name == "kernel.domainname" && own.uts {
        return Ok(());
    }
    if name == "kernel.hostname" && own.uts {
        return Err(Error::invalid(
            "sysctl \"kernel.hostname\" conflicts with the container's host name: use --hostname instead",
        ));
    }
    refuse_unless(false, name, "is not in a separate kernel namespace")
}

fn refuse_unless(allowed: bool, name: &str, why: &str) -> Result<()> {
    if allowed {
        Ok(())
    } else {
        Err(Error::invalid(format!("sysctl \"{name}\" {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Own = Own {
        ipc: true,
        network: true,
        uts: true,
        user: false,
        new_network: true,
    };

    fn set(name: &str, own: Own) -> Result<HashMap<String, String>> {
        of_container(&HashMap::from([(name.to_owned(), "1".to_owned())]), own)
    }

    #[test]
    fn parameters_of_own_namespaces_are_set() {
        for name in [
            "kernel.shmmax",
            "fs.mqueue.msg_max",
            "net.core.somaxconn",
            "net/ipv4/ip_forward",
            "kernel.domainname",
        ] {
            let set = set(name, OWN).expect(name);
            assert_eq!(
                set.get(&name.replace('/', ".")).map(String::as_str),
                Some("1")
            );
        }
    }

    #[test]
    fn parameters_of_the_machine_are_refused() {
        let host = Own {
            ipc: false,
            network: false,
            uts: false,
            user: false,
            new_network: false,
        };
        for (name, own, message) in [
            (
                "vm.swappiness",
                OWN,
                "sysctl \"vm.swappiness\" is not in a separate kernel namespace",
            ),
            (
                "kernel.shmmax",
                host,
                "sysctl \"kernel.shmmax\" is not allowed in the host ipc namespace",
            ),
            (
                "net.core.somaxconn",
                host,
                "sysctl \"net.core.somaxconn\" is not allowed in the host network namespace",
            ),
            (
                "kernel.domainname",
                host,
                "sysctl \"kernel.domainname\" is not in a separate kernel namespace",
            ),
            (
                "user.max_user_namespaces",
                OWN,
                "sysctl \"user.max_user_namespaces\" is not allowed in the host user namespace",
            ),
            (
                "net...kernel.panic",
                OWN,
                "sysctl \"net...kernel.panic\" is not a name of a kernel parameter",
            ),
            ("", OWN, "sysctl \"\" is not a name of a kernel parameter"),
        ] {
            assert_eq!(set(name, own).expect_err(name).to_string(), message);
        }
        assert!(
            set("kernel.hostname", OWN)
                .expect_err("a conflict")
                .to_string()
                .contains("--hostname")
        );
    }

    #[test]
    fn those_of_interfaces_are_apart() {
        let names = [
            "net.ipv4.conf.eth0.rp_filter",
            "net.ipv4.conf.all.rp_filter",
            "net.ipv6.neigh.eth0.anycast_delay",
            "net.ipv6.conf.lo.forwarding",
            "net.core.somaxconn",
        ];
        let mut set = names
            .iter()
            .map(|&name| (name.to_owned(), "1".to_owned()))
            .collect();
        let apart: Vec<String> = of_interfaces(&mut set)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(apart, [names[0], names[2]]);
        assert_eq!(set.len(), 3);
    }

    #[test]
    fn defaults_are_for_new_networks() {
        let none = HashMap::new();
        let joined = Own {
            new_network: false,
            ..OWN
        };
        assert!(of_container(&none, joined).expect("none").is_empty());
        let set = of_container(
            &HashMap::from([(
                "net.ipv4.ip_unprivileged_port_start".to_owned(),
                "1024".to_owned(),
            )]),
            OWN,
        )
        .expect("parameters");
        assert_eq!(set["net.ipv4.ip_unprivileged_port_start"], "1024");
        assert_eq!(set["net.ipv4.ping_group_range"], "0 2147483647");
    }
}
