//! The proxy to registries, as Docker's engine finds it: in `HTTPS_PROXY`, with exceptions in `NO_PROXY`.

use ureq::{Proxy, ProxyProtocol};

use crate::{Error, Result};

/// The proxy that the environment of this process names.
///
/// # Errors
///
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for one that is none, or of a kind that nothing goes
/// through here: around it would be where the user does not want to go.
pub(super) fn of_environment() -> Result<Option<Proxy>> {
    let variable = |names: [&str; 2]| {
        names
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
    };
    parse(
        variable(["HTTPS_PROXY", "https_proxy"]).as_deref(),
        variable(["NO_PROXY", "no_proxy"]).as_deref(),
    )
}

fn parse(proxy: Option<&str>, exceptions: Option<&str>) -> Result<Option<Proxy>> {
    // The value may have a password in it, so it is not shown.
    let unusable = || {
        Error::not_implemented(
            "HTTPS_PROXY names no proxy that the embedded engine can use: it takes http:// and https://",
        )
    };
    let Some(value) = proxy else {
        return Ok(None);
    };
    let named = Proxy::new(value).map_err(|_| unusable())?;
    if !matches!(named.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
        return Err(unusable());
    }
    let mut builder = Proxy::builder(named.protocol())
        .host(named.host())
        .port(named.port());
    if let Some(username) = named.username() {
        builder = builder.username(username);
    }
    if let Some(password) = named.password() {
        builder = builder.password(password);
    }
    for entry in exceptions.unwrap_or_default().split(',').map(str::trim) {
        if entry.is_empty() {
            continue;
        }
        builder = builder.no_proxy(entry);
        // Go takes a name for itself and all below it.
        if !entry.starts_with(['.', '*']) {
            builder = builder.no_proxy(&format!(".{entry}"));
        }
    }
    builder.build().map(Some).map_err(|_| unusable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_has_exceptions() {
        let proxy = parse(
            Some("http://user:p%40ss@proxy.example:3128"),
            Some("near, .far"),
        )
        .expect("a proxy")
        .expect("one");
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
        assert_eq!(
            (proxy.username(), proxy.password()),
            (Some("user"), Some("p@ss"))
        );
        for (address, expected) in [
            ("https://near/v2/", true),
            ("https://a.near/v2/", true),
            ("https://a.far/v2/", true),
            ("https://far/v2/", false),
            ("https://other/v2/", false),
        ] {
            let uri = address.parse().expect("an address");
            assert_eq!(proxy.is_no_proxy(&uri), expected, "{address}");
        }
        assert!(parse(None, Some("*")).expect("none").is_none());
    }

    #[test]
    fn what_cannot_be_used_is_not_gone_around() {
        let error = parse(Some("socks5://user:sesame@proxy:1080"), None).expect_err("not done");
        assert_eq!(error.status(), 501);
        assert!(!error.to_string().contains("sesame"), "{error}");
    }
}
