//! Something that is not as it should be.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that is not as it should be, and what became of it. It prints as a line for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Finding {
    /// What kind of thing it is.
    pub thing: Thing,
    /// Which one: a path, a number, an id.
    pub subject: String,
    /// What is wrong with it, as the end of a sentence.
    pub problem: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// The kinds of things that an engine makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thing {
    /// A container and its files.
    Container,
    /// The name of a container.
    Name,
    /// A directory, with all that is in it.
    Directory,
    /// A cgroup, in all hierarchies.
    Cgroup,
    /// A process.
    Process,
    /// A mount on this machine; those of containers are in namespaces of their own.
    Mount,
    /// An address of the bridge's network, and perhaps ports.
    Address,
    /// An interface of the network.
    Link,
    /// Rules of the packet filter.
    Rules,
    /// A layer or a blob of an image.
    Image,
    /// A volume.
    Volume,
}

impl Thing {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Thing::Container => "container",
            Thing::Name => "name",
            Thing::Directory => "directory",
            Thing::Cgroup => "cgroup",
            Thing::Process => "process",
            Thing::Mount => "mount",
            Thing::Address => "address",
            Thing::Link => "link",
            Thing::Rules => "rules",
            Thing::Image => "image",
            Thing::Volume => "volume",
        }
    }
}

/// What became of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was left as it is.
    Found,
    /// It is right now.
    Repaired,
    /// It could not be made right, for this reason.
    Failed(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            thing,
            subject,
            problem,
            outcome,
        } = self;
        write!(f, "{} {subject}: {problem}", thing.as_str())?;
        match outcome {
            Outcome::Found => Ok(()),
            Outcome::Repaired => f.write_str(" (repaired)"),
            Outcome::Failed(error) => write!(f, " (not repaired: {error})"),
        }
    }
}
