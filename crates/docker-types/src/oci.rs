//! Types of the OCI's image specification.

use listing::{Field, Shape, TEXT_MAP, TEXTS};

use crate::{INT, TEXT, field};

pub(crate) const DESCRIPTOR: Shape = Shape::Struct(&[
    field("MediaType", TEXT).key("mediaType"),
    field("Digest", TEXT).key("digest"),
    field("Size", INT).key("size"),
    field("URLs", TEXTS).key("urls").optional(),
    field("Annotations", TEXT_MAP).key("annotations").optional(),
    field("Data", TEXT).key("data").optional(),
    field("Platform", Shape::Pointer(&PLATFORM))
        .key("platform")
        .optional(),
    field("ArtifactType", TEXT).key("artifactType").optional(),
]);

pub(crate) const PLATFORM: Shape = Shape::Struct(&[
    field("Architecture", TEXT).key("architecture"),
    field("OS", TEXT).key("os"),
    field("OSVersion", TEXT).key("os.version").optional(),
    field("OSFeatures", TEXTS).key("os.features").optional(),
    field("Variant", TEXT).key("variant").optional(),
]);

/// Docker's own part of an image's configuration, which a container's has, too.
pub(crate) const HEALTHCHECK: &[Field] = &[
    field("Test", TEXTS).optional(),
    field("Interval", Shape::Duration).optional(),
    field("Timeout", Shape::Duration).optional(),
    field("StartPeriod", Shape::Duration).optional(),
    field("StartInterval", Shape::Duration).optional(),
    field("Retries", INT).optional(),
];
