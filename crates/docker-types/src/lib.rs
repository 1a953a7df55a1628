//! The Go types that Docker's client reads an engine's answers into, as templates see them.
//!
//! A template names fields as Go does (`{{.ID}}`, `{{.HostConfig.CPUShares}}`), prints an object in the order in which its fields
//! were declared, and finds 0, an empty text or an empty list where an engine sends nothing. What is needed for that is here:
//! names, order and kinds, of the types of Docker 29 (`api/types` of moby, `cli/command/system` of its client). They
//! are tables and not Rust types because nothing computes with them; the endpoints' own types are in `engine-client`, by
//! the names of the API.
//!
//! Fields that only older engines send are not here. A template finds them all the same, by their names in JSON, as in
//! Docker's client ([`listing::Inspection`]).
//!
//! ```
//! use docker_types::VOLUME;
//! use listing::Inspection;
//! use serde_json::json;
//!
//! let mut inspection = Inspection::parse(Some("{{.Name}} {{.Labels}} {{json .Options}}"))?;
//! let text = inspection.add(json!({"Name": "data"}), VOLUME)?;
//! assert_eq!(text, "data map[] null\n");
//! # Ok::<(), listing::TemplateError>(())
//! ```

#![forbid(unsafe_code)]

mod container;
mod host_config;
mod image;
mod info;
mod network;
mod oci;
mod version;
mod volume;

use listing::{Field, Shape};

pub use container::CONTAINER;
pub use image::IMAGE;
pub use info::INFO;
pub use version::VERSIONS;
pub use volume::VOLUME;

const BOOL: Shape = Shape::Bool;
const INT: Shape = Shape::Int;
const UINT: Shape = Shape::Uint;
const TEXT: Shape = Shape::Text;

/// A list of lists of texts.
const ROWS: Shape = Shape::List(&listing::TEXTS);

/// Go's sets are maps to nothing.
const SET: Shape = Shape::Map(&Shape::Struct(&[]));

const fn field(name: &'static str, shape: Shape) -> Field {
    Field::new(name, shape)
}

#[cfg(test)]
mod tests {
    use listing::Template;
    use serde_json::{Value, json};

    use super::*;

    /// All types, of objects of which an engine says nothing.
    #[test]
    fn nothing_is_declared_twice_and_everything_has_a_value() {
        let template = Template::parse("{{json .}}").expect("a template");
        for shape in [CONTAINER, IMAGE, INFO, VERSIONS, VOLUME] {
            let text = template.render(&json!({}), shape).expect("a text");
            let value: Value = serde_json::from_str(&text).expect("JSON");
            // A key that is there twice would be there once now.
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn gos_names_lead_to_the_values_of_the_json() {
        for (shape, template, value, expected) in [
            (
                CONTAINER,
                "{{.ID}} {{.HostConfig.CPUShares}} {{.HostConfig.Resources.NanoCPUs}} {{.HostConfig.DNS}} {{.State}}",
                json!({"Id": "a", "HostConfig": {"CpuShares": 2, "NanoCpus": 3, "Dns": ["d"]}}),
                "a 2 3 [d] <nil>",
            ),
            (
                CONTAINER,
                "{{range $k, $v := .NetworkSettings.Ports}}{{$k}} {{range $v}}{{.HostIP}}:{{.HostPort}}{{end}}{{end}}",
                json!({"NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "::", "HostPort": "8"}]}}}),
                "80/tcp :::8",
            ),
            (
                CONTAINER,
                "{{range .State.Health.Log}}{{.Start}} {{.ExitCode}}{{end}} {{.State.ExitCode}}",
                json!({"State": {"Health": {"Log": [{"Start": "2026-01-31T12:00:00Z"}]}}}),
                "2026-01-31 12:00:00 +0000 UTC 0 0",
            ),
            (
                CONTAINER,
                r#"{{.HostConfig.Ulimits}} {{range .HostConfig.Ulimits}}{{.}} {{.Soft}} {{printf "%v %s %q %x" . . . .}} {{json .}}{{end}}"#,
                json!({"HostConfig": {"Ulimits": [{"Name": "nofile", "Hard": 6, "Soft": 5}]}}),
                r#"[nofile=5:6] nofile=5:6 5 nofile=5:6 nofile=5:6 "nofile=5:6" 6e6f66696c653d353a36 {"Name":"nofile","Hard":6,"Soft":5}"#,
            ),
            (
                IMAGE,
                "{{.ID}} {{.Config.Cmd}} {{.Config.Healthcheck.Interval}} {{.Metadata.LastTagTime}} {{.Descriptor.Digest}}",
                json!({
                    "Id": "i", "Config": {"Cmd": ["sh"], "Healthcheck": {"Interval": 1_500_000_000}},
                    "Descriptor": {"digest": "sha256:1"},
                }),
                "i [sh] 1.5s 0001-01-01 00:00:00 +0000 UTC sha256:1",
            ),
            (
                INFO,
                "{{.HTTPProxy}} {{.CPUCfsQuota}} {{.NCPU}} {{.Runtimes.runc.Path}} {{.ClientInfo.Version}}",
                json!({
                    "HttpProxy": "p", "CpuCfsQuota": true, "Runtimes": {"runc": {"path": "r"}}, "ClientInfo": {"Version": "1"},
                }),
                "p true 0 r 1",
            ),
            (
                VERSIONS,
                "{{.Client.APIVersion}} {{.Server.APIVersion}} {{range .Server.Components}}{{.Details.a}}{{end}}",
                json!({
                    "Client": {"ApiVersion": "1"}, "Server": {"ApiVersion": "2", "Components": [{"Details": {"a": "b"}}]},
                }),
                "1 2 b",
            ),
        ] {
            let text =
                Template::parse(template).and_then(|template| template.render(&value, shape));
            assert_eq!(text.as_deref(), Ok(expected), "{template}");
        }
    }
}
