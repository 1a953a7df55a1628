//! From method and path to whoever answers.

use hyper::Method;

use super::answer::Answer;
use super::call::Call;
use super::{containers, exec, images, networks, system, volumes};
use crate::{Error, Result};

/// Hands the request to the family that its path begins with.
pub(super) async fn route(call: Call<'_>) -> Result<Answer> {
    match call.path.first().map(String::as_str).unwrap_or_default() {
        "_ping" | "version" | "info" => system::route(call).await,
        "containers" => containers::route(call).await,
        "exec" => exec::route(call).await,
        "networks" => networks::route(call).await,
        "volumes" => volumes::route(call).await,
        "images" => images::route(call).await,
        _ => Err(missing(&call)),
    }
}

/// The error for what no family answers: 501 for what the API has and this engine lacks, 404 for everything else.
pub(super) fn missing(call: &Call<'_>) -> Error {
    match known(&call.method, &call.path) {
        Some(what) => Error::not_implemented(format!("the embedded engine does not do {what}")),
        None => Error::not_found("page not found"),
    }
}

/// Whether the Engine API has this path, so that what the client sends behind the head is known, too.
pub(super) fn is_known(method: &Method, path: &[&str]) -> bool {
    match (method.as_str(), path) {
        ("GET", ["containers", "json"])
        | ("POST", ["containers", "create" | "prune"])
        | ("DELETE", ["containers", _])
        | ("HEAD", ["containers", _, "archive"])
        | ("PUT", ["containers", _, "archive"]) => true,
        ("GET", ["containers", _, operation]) => matches!(
            *operation,
            "json" | "top" | "logs" | "changes" | "export" | "stats" | "archive"
        ),
        ("POST", ["containers", _, operation]) => matches!(
            *operation,
            "resize"
                | "start"
                | "stop"
                | "restart"
                | "kill"
                | "update"
                | "rename"
                | "pause"
                | "unpause"
                | "attach"
                | "wait"
                | "exec"
        ),
        ("GET", ["containers", _, "attach", "ws"]) => true,
        ("POST", ["exec", _, "start" | "resize"]) | ("GET", ["exec", _, "json"]) => true,
        ("GET", ["images", "json" | "search" | "get"]) => true,
        ("GET", ["images", .., "json" | "history" | "get" | "attestations"]) => true,
        ("POST", ["images", "create" | "load" | "prune"]) => true,
        ("POST", ["images", .., "push" | "tag"]) | ("DELETE", ["images", _, ..]) => true,
        ("POST", ["build" | "commit" | "auth" | "session" | "grpc"])
        | ("POST", ["build", "prune" | "cancel"]) => true,
        ("GET", ["info" | "version" | "_ping" | "events"]) | ("HEAD", ["_ping"]) => true,
        ("GET", ["system", "df"]) => true,
        ("GET", ["volumes"]) | ("POST", ["volumes", "create" | "prune"]) => true,
        ("GET" | "PUT" | "DELETE", ["volumes", _]) => true,
        ("GET", ["networks"]) | ("POST", ["networks", "create" | "prune"]) => true,
        ("GET" | "DELETE", ["networks", _]) => true,
        ("POST", ["networks", _, "connect" | "disconnect"]) => true,
        ("GET", ["distribution", .., "json"]) => true,
        // There is none of that name: clients look for a name among things of all kinds.
        ("GET", ["plugins", _, "json"]) => false,
        (
            _,
            [
                "swarm" | "nodes" | "services" | "tasks" | "secrets" | "configs" | "plugins",
                ..,
            ],
        ) => true,
        _ => false,
    }
}

/// What of the Engine API this path is, where the API has it.
fn known(method: &Method, path: &[String]) -> Option<String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    is_known(method, &path).then(|| format!("{method} /{}", shown(&path)))
}

/// The path with names of things left out, as the API's reference has it.
fn shown(path: &[&str]) -> String {
    match path {
        [
            family @ ("containers" | "exec" | "volumes" | "networks" | "images"),
            name,
            rest @ ..,
        ] if !matches!(
            *name,
            "json" | "create" | "prune" | "search" | "get" | "load"
        ) =>
        {
            // The name of an image may have slashes, and what is done is the last word then.
            let operation = match *family {
                "images" => rest.last().into_iter().copied().collect(),
                _ => rest.to_vec(),
            };
            [&[*family, "{name}"], operation.as_slice()]
                .concat()
                .join("/")
        }
        path => path.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(method: &str, path: &str) -> Option<String> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let path: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        known(&method, &path)
    }

    #[test]
    fn pages_of_the_api_are_named_as_its_reference_names_them() {
        for (method, path, expected) in [
            (
                "POST",
                "/containers/abc/pause",
                Some("POST /containers/{name}/pause"),
            ),
            (
                "POST",
                "/containers/create",
                Some("POST /containers/create"),
            ),
            (
                "GET",
                "/images/a/b/c/history",
                Some("GET /images/{name}/history"),
            ),
            ("POST", "/swarm/init", Some("POST /swarm/init")),
            ("POST", "/build", Some("POST /build")),
            ("GET", "/containers", None),
            ("GET", "/plugins", Some("GET /plugins")),
            ("GET", "/plugins/some/json", None),
            ("PATCH", "/containers/abc/pause", None),
            ("GET", "/nothing", None),
            ("GET", "/", None),
        ] {
            assert_eq!(what(method, path).as_deref(), expected, "{method} {path}");
        }
    }
}
