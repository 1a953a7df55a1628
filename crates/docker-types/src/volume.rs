//! A volume's description.

use listing::{Field, Shape, TEXT_MAP};

use crate::{INT, TEXT, UINT, field};

/// The answer of `GET /volumes/{name}`.
pub const VOLUME: Shape = Shape::Struct(&[
    field("ClusterVolume", Shape::Pointer(&CLUSTER_VOLUME)).optional(),
    field("CreatedAt", TEXT).optional(),
    field("Driver", TEXT),
    field("Labels", TEXT_MAP),
    field("Mountpoint", TEXT),
    field("Name", TEXT),
    field("Options", TEXT_MAP),
    field("Scope", TEXT),
    field("Status", Shape::Map(&Shape::Any)).optional(),
    field(
        "UsageData",
        Shape::Pointer(&Shape::Struct(&[
            field("RefCount", INT),
            field("Size", INT),
        ])),
    )
    .optional(),
]);

/// Only a swarm has these.
const CLUSTER_VOLUME: Shape = Shape::Struct(&[
    field("ID", TEXT),
    Field::embedded(
        "Meta",
        &[
            field("Version", Shape::Struct(&[field("Index", UINT).optional()])),
            field("CreatedAt", Shape::Time),
            field("UpdatedAt", Shape::Time),
        ],
    ),
    field("Spec", Shape::Any),
    field("PublishStatus", Shape::List(&Shape::Any)).optional(),
    field("Info", Shape::Pointer(&Shape::Any)).optional(),
]);
