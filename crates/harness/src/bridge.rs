//! A network bridge for one private engine.
//!
//! Two engines that share `docker0`, or that both keep iptables rules, take each other's addresses and chains away. An
//! engine on a private bridge without iptables shares nothing: published ports are served by its userland proxy.

use std::fs::{self, OpenOptions};
use std::process::{Command, Output};

/// The name and the address of a bridge; the name is also what an engine's other belongings are called.
#[derive(Debug)]
pub(crate) struct Bridge {
    pub(crate) name: String,
    /// The first three bytes of its network.
    network: [u8; 3],
}

impl Bridge {
    /// Makes a bridge with a /24 network of its own, or none where this machine does not let us: without the rights,
    /// without `ip`, or with `/proc/sys/net` read-only, where an engine could not set up a container's network either.
    pub(crate) fn claim() -> Option<Bridge> {
        let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
        let start = std::process::id();
        for attempt in 0..64 {
            // 10.200.0.0 to 10.239.255.0: 40 times 256 networks, begun at a place that differs by process.
            let network = (start + attempt * 1009) % (40 * 256);
            let (second, third) = (200 + network / 256, network % 256);
            if routes_overlap(&routes, [10, second as u8, third as u8, 0]) {
                continue;
            }
            // The name tells the network, so that making it, which only one process can, also claims the network.
            let name = format!("tb{second}.{third}");
            let made = ip(&["link", "add", "name", &name, "type", "bridge"])?;
            if !made.status.success() {
                if String::from_utf8_lossy(&made.stderr).contains("File exists") {
                    continue;
                }
                return None;
            }
            let network = [10, second as u8, third as u8];
            let bridge = Bridge { name, network };
            let address = format!("{}/24", bridge.gateway());
            let usable = ip(&["address", "add", &address, "dev", &bridge.name])?
                .status
                .success()
                && ip(&["link", "set", &bridge.name, "up"])?.status.success()
                && OpenOptions::new()
                    .write(true)
                    .open(format!(
                        "/proc/sys/net/ipv4/conf/{}/forwarding",
                        bridge.name
                    ))
                    .is_ok();
            if !usable {
                bridge.delete();
                return None;
            }
            return Some(bridge);
        }
        None
    }

    /// How the addresses of its network begin, as `10.200.0`.
    pub(crate) fn prefix(&self) -> String {
        self.network.map(|byte| byte.to_string()).join(".")
    }

    /// Its network, as `10.200.0.0/24`.
    pub(crate) fn subnet(&self) -> String {
        self.prefix() + ".0/24"
    }

    /// Its own address in that.
    pub(crate) fn gateway(&self) -> String {
        self.prefix() + ".1"
    }

    /// Deletes the bridge; an engine's guard does so for one that was given to it.
    pub(crate) fn delete(self) {
        let _ = ip(&["link", "delete", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> Option<Output> {
    Command::new(crate::find_program("ip")?)
        .args(arguments)
        .output()
        .ok()
}

/// Whether a line of `/proc/net/route` other than the default route covers part of this /24 network.
fn routes_overlap(routes: &str, network: [u8; 4]) -> bool {
    let network = u32::from_be_bytes(network);
    routes.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace();
        let mut address = |n| {
            let field = fields.nth(n)?;
            // The kernel prints the address as the machine's own integer, whose bytes are in network order.
            u32::from_str_radix(field, 16)
                .ok()
                .map(|raw| u32::from_be_bytes(raw.to_ne_bytes()))
        };
        let (Some(destination), Some(mask)) = (address(1), address(5)) else {
            return false;
        };
        mask != 0 && (destination ^ network) & mask & 0xffff_ff00 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::routes_overlap;

    #[test]
    fn sees_routes_that_hold_or_are_held_by_the_network() {
        let routes = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n\
            eth0\t0000D20A\t00000000\t0001\t0\t0\t0\t0000FFFF\n\
            tb\t8007C80A\t00000000\t0001\t0\t0\t0\tC0FFFFFF\n";
        if cfg!(target_endian = "big") {
            return;
        }
        assert!(
            routes_overlap(routes, [10, 210, 4, 0]),
            "held by 10.210.0.0/16"
        );
        assert!(
            routes_overlap(routes, [10, 200, 7, 0]),
            "holds 10.200.7.128/26"
        );
        assert!(
            !routes_overlap(routes, [10, 211, 4, 0]),
            "the default route counts for nothing"
        );
    }
}
