//! Known differences of Docker's older clients from the newest, which `tool` follows.

use super::client::Docker;

/// A difference that has a reason.
#[derive(Debug)]
pub(super) struct Difference {
    /// The major versions of clients that have it, from the first to the last.
    versions: (u32, u32),
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
    Difference {
        versions: (0, up_to),
        lines,
        what,
    }
}

const fn only(major: u32, lines: Lines, what: What) -> Difference {
    Difference {
        versions: (major, major),
        lines,
        what,
    }
}

pub(super) const ALL: &[Difference] = &[
    // 29 words these in lower case, and without saying twice that it was parsing.
    difference(28, Containing("--security-opt"), Text),
    difference(28, Containing("--platform"), Text),
    // 29 looks at the keys before it asks for a container.
    difference(28, Containing("--detach-keys ctrl-zz"), Refusal),
    // 29 reads mounts anew: fewer booleans, no blanks, no empty values, and what is missing is the engine's to say.
    difference(28, Containing(",ro=T "), Refusal),
    difference(28, Containing(",ro=x "), Text),
    difference(28, Containing(",ro= "), Text),
    difference(28, Containing(",volume-nocopy=x"), Text),
    difference(28, Containing("bind-nonrecursive"), Refusal),
    difference(28, Containing("bind-create-src"), Refusal),
    difference(28, Containing("--mount ' ' "), Text),
    difference(28, Containing("--mount '' "), Text),
    difference(28, Containing("--mount type=,"), Text),
    difference(28, Containing("--mount foo="), Text),
    difference(28, Containing("--mount Foo="), Text),
    difference(28, Containing("type=bind, src"), Text),
    difference(28, Containing("src= /a"), Refusal),
    difference(28, Containing("' type=bind"), Refusal),
    difference(28, Containing("src=,"), Refusal),
    difference(28, Containing(",dst= "), Text),
    difference(28, Exactly("--mount type=bind,src=/a img"), Refusal),
    // 28 panics at these names of CDI devices.
    difference(28, Containing("--device vendor.com/gpu=all"), Refusal),
    only(28, Containing("--device a/b=- "), Refusal),
    difference(28, Containing("--device v.c/g=0"), Refusal),
    only(28, Containing("--device ab/b=c_"), Refusal),
    // 20 sends a relative source as it is, and leaves empty parts to the engine.
    difference(20, Containing("-v ."), Field("HostConfig.Binds")),
    difference(20, Containing("-v /a: "), Refusal),
    difference(20, Containing("-v :/b "), Refusal),
    difference(20, Containing("-v '' "), Refusal),
    difference(20, Containing("src=."), Field("HostConfig.Mounts")),
    // 20 knows fewer keys of a mount, and no CDI devices, annotations or several networks.
    difference(20, Containing("bind-recursive=enabled"), Refusal),
    difference(20, Containing("bind-recursive=disabled"), Refusal),
    difference(20, Containing("bind-recursive=writable,ro"), Refusal),
    difference(20, Containing("bind-propagation=rprivate"), Refusal),
    difference(20, Containing("volume-subpath="), Refusal),
    difference(20, Containing("image-subpath=bin"), Refusal),
    difference(20, Exactly("--device vendor.com/gpu=0 img"), Refusal),
    difference(20, Containing("--annotation"), Refusal),
    difference(20, Containing("--network a --network"), Refusal),
    // 20 sends names that are empty.
    difference(
        20,
        Containing("volume-label==b"),
        Field("HostConfig.Mounts"),
    ),
    difference(20, Containing("volume-opt==x"), Field("HostConfig.Mounts")),
    // 29 ignores it, with a warning.
    difference(
        20,
        Containing("--kernel-memory"),
        Field("HostConfig.KernelMemory"),
    ),
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

    /// Whether this client has it. Texts are compared only where they are those of today.
    pub(super) fn is_shown_by(&self, docker: &Docker) -> bool {
        let (first, last) = self.versions;
        (first..=last).contains(&docker.major())
            && (self.what != Text || docker.has_texts_of_today())
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
