//! A container's description.

use listing::{Field, Shape, TEXT_MAP, TEXTS};

use crate::host_config::HOST_CONFIG;
use crate::network::{ENDPOINT, PORT_MAP};
use crate::oci::{DESCRIPTOR, HEALTHCHECK};
use crate::{BOOL, INT, SET, TEXT, field};

/// The answer of `GET /containers/{id}/json`.
pub const CONTAINER: Shape = Shape::Struct(&[
    field("ID", TEXT).key("Id"),
    field("Created", TEXT),
    field("Path", TEXT),
    field("Args", TEXTS),
    field("State", Shape::Pointer(&STATE)),
    field("Image", TEXT),
    field("ResolvConfPath", TEXT),
    field("HostnamePath", TEXT),
    field("HostsPath", TEXT),
    field("LogPath", TEXT),
    field("Name", TEXT),
    field("RestartCount", INT),
    field("Driver", TEXT),
    field("Platform", TEXT),
    field("MountLabel", TEXT),
    field("ProcessLabel", TEXT),
    field("AppArmorProfile", TEXT),
    field("ExecIDs", TEXTS),
    field("HostConfig", Shape::Pointer(&HOST_CONFIG)),
    field("GraphDriver", Shape::Pointer(&GRAPH_DRIVER)).optional(),
    field("Storage", Shape::Pointer(&STORAGE)).optional(),
    field("SizeRw", Shape::Pointer(&INT)).optional(),
    field("SizeRootFs", Shape::Pointer(&INT)).optional(),
    field("Mounts", Shape::List(&MOUNT_POINT)),
    field("Config", Shape::Pointer(&Shape::Struct(CONFIG))),
    field("NetworkSettings", Shape::Pointer(&NETWORK_SETTINGS)),
    field("ImageManifestDescriptor", Shape::Pointer(&DESCRIPTOR)).optional(),
]);

const STATE: Shape = Shape::Struct(&[
    field("Status", TEXT),
    field("Running", BOOL),
    field("Paused", BOOL),
    field("Restarting", BOOL),
    field("OOMKilled", BOOL),
    field("Dead", BOOL),
    field("Pid", INT),
    field("ExitCode", INT),
    field("Error", TEXT),
    field("StartedAt", TEXT),
    field("FinishedAt", TEXT),
    field("Health", Shape::Pointer(&HEALTH)).optional(),
]);

const HEALTH: Shape = Shape::Struct(&[
    field("Status", TEXT),
    field("FailingStreak", INT),
    field("Log", Shape::List(&Shape::Pointer(&HEALTH_RESULT))),
]);

const HEALTH_RESULT: Shape = Shape::Struct(&[
    field("Start", Shape::Time),
    field("End", Shape::Time),
    field("ExitCode", INT),
    field("Output", TEXT),
]);

/// Where an image or a container is on an engine's disk.
pub(crate) const GRAPH_DRIVER: Shape =
    Shape::Struct(&[field("Data", TEXT_MAP), field("Name", TEXT)]);

const STORAGE: Shape = Shape::Struct(&[field(
    "RootFS",
    Shape::Pointer(&Shape::Struct(&[field(
        "Snapshot",
        Shape::Pointer(&Shape::Struct(&[field("Name", TEXT).optional()])),
    )
    .optional()])),
)
.optional()]);

const MOUNT_POINT: Shape = Shape::Struct(&[
    field("Type", TEXT).optional(),
    field("Name", TEXT).optional(),
    field("Source", TEXT),
    field("Destination", TEXT),
    field("Driver", TEXT).optional(),
    field("Mode", TEXT),
    field("RW", BOOL),
    field("Propagation", TEXT),
]);

const CONFIG: &[Field] = &[
    field("Hostname", TEXT),
    field("Domainname", TEXT),
    field("User", TEXT),
    field("AttachStdin", BOOL),
    field("AttachStdout", BOOL),
    field("AttachStderr", BOOL),
    field("ExposedPorts", SET).optional(),
    field("Tty", BOOL),
    field("OpenStdin", BOOL),
    field("StdinOnce", BOOL),
    field("Env", TEXTS),
    field("Cmd", TEXTS),
    field("Healthcheck", Shape::Pointer(&Shape::Struct(HEALTHCHECK))).optional(),
    field("ArgsEscaped", BOOL).optional(),
    field("Image", TEXT),
    field("Volumes", SET),
    field("WorkingDir", TEXT),
    field("Entrypoint", TEXTS),
    field("NetworkDisabled", BOOL).optional(),
    field("OnBuild", TEXTS).optional(),
    field("Labels", TEXT_MAP),
    field("StopSignal", TEXT).optional(),
    field("StopTimeout", Shape::Pointer(&INT)).optional(),
    field("Shell", TEXTS).optional(),
];

const NETWORK_SETTINGS: Shape = Shape::Struct(&[
    field("SandboxID", TEXT),
    field("SandboxKey", TEXT),
    field("Ports", PORT_MAP),
    field("Networks", Shape::Map(&Shape::Pointer(&ENDPOINT))),
]);
