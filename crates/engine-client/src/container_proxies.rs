//! The proxy variables that new containers get: the `proxies` key of `config.json`.

use std::fmt;

/// Proxies for a container's processes, each the value of a variable. `None` sets no variable.
///
/// Its `Debug` form shows which there are, and not their values: an address may hold a password.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerProxies {
    /// `HTTP_PROXY`
    pub http: Option<String>,
    /// `HTTPS_PROXY`
    pub https: Option<String>,
    /// `NO_PROXY`: the hosts that are reached without a proxy.
    pub no: Option<String>,
    /// `FTP_PROXY`
    pub ftp: Option<String>,
    /// `ALL_PROXY`
    pub all: Option<String>,
}

impl ContainerProxies {
    /// The variables that are set: their upper-case names and their values. Programs disagree about the case of the
    /// letters, so the lower-case names are meant too.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("HTTP_PROXY", &self.http),
            ("HTTPS_PROXY", &self.https),
            ("NO_PROXY", &self.no),
            ("FTP_PROXY", &self.ftp),
            ("ALL_PROXY", &self.all),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

impl fmt::Debug for ContainerProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables().map(|(name, _)| (name, "..."));
        f.debug_map().entries(names).finish()
    }
}
