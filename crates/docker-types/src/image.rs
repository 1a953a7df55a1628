//! An image's description.

use listing::{Field, Shape, TEXT_MAP, TEXTS};

use crate::container::GRAPH_DRIVER;
use crate::oci::{DESCRIPTOR, HEALTHCHECK, PLATFORM};
use crate::{BOOL, INT, SET, TEXT, field};

/// The answer of `GET /images/{name}/json`.
pub const IMAGE: Shape = Shape::Struct(&[
    field("ID", TEXT).key("Id"),
    field("RepoTags", TEXTS),
    field("RepoDigests", TEXTS),
    field("Comment", TEXT).optional(),
    field("Created", TEXT).optional(),
    field("Author", TEXT).optional(),
    field("Config", Shape::Pointer(&CONFIG)),
    field("Architecture", TEXT),
    field("Variant", TEXT).optional(),
    field("Os", TEXT),
    field("OsVersion", TEXT).optional(),
    field("Size", INT),
    field("GraphDriver", Shape::Pointer(&GRAPH_DRIVER)).optional(),
    field(
        "RootFS",
        Shape::Struct(&[
            field("Type", TEXT).optional(),
            field("Layers", TEXTS).optional(),
        ]),
    ),
    field(
        "Metadata",
        Shape::Struct(&[field("LastTagTime", Shape::Time).optional()]),
    ),
    field("Descriptor", Shape::Pointer(&DESCRIPTOR)).optional(),
    field("Manifests", Shape::List(&MANIFEST)).optional(),
    field("Identity", Shape::Pointer(&Shape::Any)).optional(),
]);

const CONFIG: Shape = Shape::Struct(&[
    Field::embedded(
        "ImageConfig",
        &[
            field("User", TEXT).optional(),
            field("ExposedPorts", SET).optional(),
            field("Env", TEXTS).optional(),
            field("Entrypoint", TEXTS).optional(),
            field("Cmd", TEXTS).optional(),
            field("Volumes", SET).optional(),
            field("WorkingDir", TEXT).optional(),
            field("Labels", TEXT_MAP).optional(),
            field("StopSignal", TEXT).optional(),
            field("ArgsEscaped", BOOL).optional(),
        ],
    ),
    Field::embedded(
        "DockerOCIImageConfigExt",
        &[
            field("Healthcheck", Shape::Pointer(&Shape::Struct(HEALTHCHECK))).optional(),
            field("OnBuild", TEXTS).optional(),
            field("Shell", TEXTS).optional(),
        ],
    ),
]);

const MANIFEST: Shape = Shape::Struct(&[
    field("ID", TEXT),
    field("Descriptor", DESCRIPTOR),
    field("Available", BOOL),
    field(
        "Size",
        Shape::Struct(&[field("Content", INT), field("Total", INT)]),
    ),
    field("Kind", TEXT),
    field("ImageData", Shape::Pointer(&IMAGE_DATA)).optional(),
    field(
        "AttestationData",
        Shape::Pointer(&Shape::Struct(&[field("For", TEXT)])),
    )
    .optional(),
]);

const IMAGE_DATA: Shape = Shape::Struct(&[
    field("Platform", PLATFORM),
    field("Identity", Shape::Pointer(&Shape::Any)).optional(),
    field("Size", Shape::Struct(&[field("Unpacked", INT)])),
    field("Containers", TEXTS),
]);
