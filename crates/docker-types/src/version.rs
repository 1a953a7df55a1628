//! The versions of a client and an engine.

use listing::{Field, Shape, TEXT_MAP};

use crate::{BOOL, TEXT, field};

/// What `version` shows: of the client, and the answer of `GET /version`.
pub const VERSIONS: Shape = Shape::Struct(&[
    field("Client", Shape::Struct(CLIENT)),
    field("Server", Shape::Pointer(&SERVER)),
]);

pub(crate) const CLIENT: &[Field] = &[
    field(
        "Platform",
        Shape::Pointer(&Shape::Struct(&[field("Name", TEXT).optional()])),
    )
    .optional(),
    field("Version", TEXT).optional(),
    field("APIVersion", TEXT).key("ApiVersion").optional(),
    field("DefaultAPIVersion", TEXT).optional(),
    field("GitCommit", TEXT).optional(),
    field("GoVersion", TEXT).optional(),
    field("Os", TEXT).optional(),
    field("Arch", TEXT).optional(),
    field("BuildTime", TEXT).optional(),
    field("Context", TEXT),
];

const SERVER: Shape = Shape::Struct(&[
    field("Platform", Shape::Struct(&[field("Name", TEXT)])),
    field("Version", TEXT),
    field("APIVersion", TEXT).key("ApiVersion"),
    field("MinAPIVersion", TEXT).optional(),
    field("Os", TEXT),
    field("Arch", TEXT),
    field("Components", Shape::List(&COMPONENT)).optional(),
    field("GitCommit", TEXT).optional(),
    field("GoVersion", TEXT).optional(),
    field("KernelVersion", TEXT).optional(),
    field("Experimental", BOOL).optional(),
    field("BuildTime", TEXT).optional(),
]);

const COMPONENT: Shape = Shape::Struct(&[
    field("Name", TEXT),
    field("Version", TEXT),
    field("Details", TEXT_MAP).optional(),
]);
