//! Where Docker's older clients differ from the newest, which `tool` follows.

use super::client::Docker;

/// A difference that has a reason.
#[derive(Debug)]
pub(super) struct Difference {
    /// Clients up to this major version have it.
    up_to: u32,
    lines: Lines,
    pub(super) what: What,
}

/// The lines that show it.
#[derive(Debug)]
enum Lines {
    Containing(&'static str),
    Exactly(&'static str),
}

/// What of a line differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// One field, or what is below it.
    Field(&'static str),
    /// The words of the refusal.
    Text,
    /// Whether the line is refused at all, or with which status.
    Refusal,
}

use Lines::{Containing, Exactly};
use What::{Field, Refusal, Text};

const fn difference(up_to: u32, lines: Lines, what: What) -> Difference {
    Difference { up_to, lines, what }
}

pub(super) const ALL: &[Difference] = &[
    // 29 words these in lower case, and without saying twice that it was parsing.
    difference(28, Containing("--security-opt"), Text),
    difference(28, Containing("--platform"), Text),
    // 29 looks at the keys before it asks for a container.
    difference(28, Containing("--detach-keys ctrl-zz"), Refusal),
    // 20 sends a relative source as it is, and leaves empty parts to the engine.
    difference(20, Containing("-v ."), Field("HostConfig.Binds")),
    difference(20, Containing("-v /a: "), Refusal),
    difference(20, Containing("-v :/b "), Refusal),
    difference(20, Containing("-v '' "), Refusal),
    // 20 wants brackets around an IPv6 address, and knows neither an exponent nor a point at either end.
    difference(20, Containing("-p ::1:"), Refusal),
    difference(20, Containing("-m 1e3"), Refusal),
    difference(20, Containing("-m .5k"), Refusal),
    difference(20, Containing("-m 5."), Refusal),
    difference(20, Containing("-m 1_0"), Refusal),
    // 20 sends capabilities as they are typed.
    difference(20, Containing("--cap-add"), Field("HostConfig.CapAdd")),
    difference(20, Containing("--cap-drop"), Field("HostConfig.CapDrop")),
    difference(20, Containing("--add-host a="), Refusal),
    difference(20, Containing("--add-host 'a:["), Refusal),
    difference(20, Containing("--restart on-failure: "), Refusal),
    difference(20, Containing("--restart :3"), Refusal),
    difference(20, Containing("--health-start-interval"), Refusal),
    difference(20, Containing("--pull bad"), Refusal),
    difference(20, Containing("--quiet"), Refusal),
    difference(20, Containing("--platform linux/arm64/v8.1"), Refusal),
    // 20 connects to one network only, and its long form has fewer keys.
    difference(20, Containing("link-local-ip="), Refusal),
    difference(20, Containing("mac-address="), Refusal),
    difference(20, Containing("gw-priority="), Refusal),
    difference(20, Containing("--network foo --network"), Refusal),
    difference(20, Containing("--network host --network"), Refusal),
    difference(20, Containing("--net foo --net "), Refusal),
    difference(20, Containing("--net foo --network "), Refusal),
    difference(20, Exactly("--network-alias x img"), Refusal),
    difference(20, Containing("--link db"), Refusal),
    // 20 sends addresses with a network of the user's only, and the MAC address in a field of its own.
    difference(20, Containing("--ip 192.0.2.7"), Field("NetworkingConfig")),
    difference(20, Containing("--link-local-ip"), Field("NetworkingConfig")),
    difference(20, Containing("--mac-address"), Field("NetworkingConfig")),
    difference(20, Containing("--security-opt foo="), Refusal),
    difference(20, Containing("--security-opt seccomp=builtin"), Refusal),
];

impl Difference {
    /// Whether a line may show it with this client.
    pub(super) fn is_of(&self, line: &str, docker: &Docker) -> bool {
        let shows = match self.lines {
            Containing(part) => line.contains(part),
            Exactly(text) => line == text,
        };
        self.is_shown_by(docker) && shows
    }

    /// Whether this client has it.
    pub(super) fn is_shown_by(&self, docker: &Docker) -> bool {
        docker.major() <= self.up_to
    }

    /// Whether it is about this field.
    pub(super) fn covers(&self, path: &str) -> bool {
        match self.what {
            Field(field) => path
                .strip_prefix(field)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            Text | Refusal => false,
        }
    }
}
