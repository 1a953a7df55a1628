//! The environment of a dispatch: the process's, or one that a host or test made up.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

/// Environment variables. Cloning is cheap.
///
/// ```
/// use byname::Environment;
///
/// let environment = Environment::from_iter([("NO_COLOR", "1")]);
/// assert_eq!(environment.get("NO_COLOR").unwrap(), "1");
/// assert_eq!(environment.get("HOME"), None);
/// ```
#[derive(Debug, Clone)]
pub struct Environment {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Process,
    Given(Arc<BTreeMap<OsString, OsString>>),
}

impl Environment {
    /// The process's environment, read at each call.
    pub fn process() -> Environment {
        Environment {
            source: Source::Process,
        }
    }

    /// The value of a variable; `None` if it is not set. A set but empty one is `Some("")`.
    pub fn get(&self, name: &str) -> Option<OsString> {
        match &self.source {
            Source::Process => std::env::var_os(name),
            Source::Given(variables) => variables.get(OsStr::new(name)).cloned(),
        }
    }

    /// All variables, for a child process or to look through.
    pub fn vars(&self) -> Vec<(OsString, OsString)> {
        match &self.source {
            Source::Process => std::env::vars_os().collect(),
            Source::Given(variables) => variables
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }

    /// Whether it is the process's.
    #[cfg(feature = "clap")]
    pub(crate) fn is_process(&self) -> bool {
        matches!(self.source, Source::Process)
    }

    /// Whether the variable is set to something.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty())
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Environment {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Environment {
            source: Source::Given(Arc::new(variables)),
        }
    }
}
