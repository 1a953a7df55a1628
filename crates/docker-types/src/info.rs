//! An engine's description.

use listing::{Field, Shape, TEXT_MAP, TEXTS};

use crate::version::CLIENT;
use crate::{BOOL, INT, ROWS, TEXT, field};

/// What `info` shows: the answer of `GET /info`, with what there is to say of the client beside it.
pub const INFO: Shape = Shape::Struct(&[
    Field::embedded("Info", SERVER),
    field("ServerErrors", TEXTS).optional(),
    field("ClientInfo", Shape::Pointer(&CLIENT_INFO)).optional(),
    field("ClientErrors", TEXTS).optional(),
]);

const CLIENT_INFO: Shape = Shape::Struct(&[
    field("Debug", BOOL),
    Field::embedded("clientVersion", CLIENT),
    field("Plugins", Shape::List(&Shape::Any)),
    field("Warnings", TEXTS),
]);

const SERVER: &[Field] = &[
    field("ID", TEXT),
    field("Containers", INT),
    field("ContainersRunning", INT),
    field("ContainersPaused", INT),
    field("ContainersStopped", INT),
    field("Images", INT),
    field("Driver", TEXT),
    field("DriverStatus", ROWS),
    field("SystemStatus", ROWS).optional(),
    field("Plugins", PLUGINS),
    field("MemoryLimit", BOOL),
    field("SwapLimit", BOOL),
    field("CPUCfsPeriod", BOOL).key("CpuCfsPeriod"),
    field("CPUCfsQuota", BOOL).key("CpuCfsQuota"),
    field("CPUShares", BOOL),
    field("CPUSet", BOOL),
    field("PidsLimit", BOOL),
    field("IPv4Forwarding", BOOL),
    field("Debug", BOOL),
    field("NFd", INT),
    field("OomKillDisable", BOOL),
    field("NGoroutines", INT),
    field("SystemTime", TEXT),
    field("LoggingDriver", TEXT),
    field("CgroupDriver", TEXT),
    field("CgroupVersion", TEXT).optional(),
    field("NEventsListener", INT),
    field("KernelVersion", TEXT),
    field("OperatingSystem", TEXT),
    field("OSVersion", TEXT),
    field("OSType", TEXT),
    field("Architecture", TEXT),
    field("IndexServerAddress", TEXT),
    field("RegistryConfig", Shape::Pointer(&REGISTRIES)),
    field("NCPU", INT),
    field("MemTotal", INT),
    field("GenericResources", Shape::List(&Shape::Any)),
    field("DockerRootDir", TEXT),
    field("HTTPProxy", TEXT).key("HttpProxy"),
    field("HTTPSProxy", TEXT).key("HttpsProxy"),
    field("NoProxy", TEXT),
    field("Name", TEXT),
    field("Labels", TEXTS),
    field("ExperimentalBuild", BOOL),
    field("ServerVersion", TEXT),
    field("Runtimes", Shape::Map(&RUNTIME)),
    field("DefaultRuntime", TEXT),
    field("Swarm", SWARM),
    field("LiveRestoreEnabled", BOOL),
    field("Isolation", TEXT),
    field("InitBinary", TEXT),
    field("ContainerdCommit", COMMIT),
    field("RuncCommit", COMMIT),
    field("InitCommit", COMMIT),
    field("SecurityOptions", TEXTS),
    field("ProductLicense", TEXT).optional(),
    field(
        "DefaultAddressPools",
        Shape::List(&Shape::Struct(&[field("Base", TEXT), field("Size", INT)])),
    )
    .optional(),
    field(
        "FirewallBackend",
        Shape::Pointer(&Shape::Struct(&[
            field("Driver", TEXT),
            field("Info", ROWS).optional(),
        ])),
    )
    .optional(),
    field("CDISpecDirs", TEXTS),
    field(
        "DiscoveredDevices",
        Shape::List(&Shape::Struct(&[field("Source", TEXT), field("ID", TEXT)])),
    )
    .optional(),
    field(
        "NRI",
        Shape::Pointer(&Shape::Struct(&[field("Info", ROWS).optional()])),
    )
    .optional(),
    field("Containerd", Shape::Pointer(&CONTAINERD)).optional(),
    field("Warnings", TEXTS),
];

const PLUGINS: Shape = Shape::Struct(&[
    field("Volume", TEXTS),
    field("Network", TEXTS),
    field("Authorization", TEXTS),
    field("Log", TEXTS),
]);

const REGISTRIES: Shape = Shape::Struct(&[
    field("InsecureRegistryCIDRs", TEXTS),
    field("IndexConfigs", Shape::Map(&Shape::Pointer(&INDEX))),
    field("Mirrors", TEXTS),
]);

const INDEX: Shape = Shape::Struct(&[
    field("Name", TEXT),
    field("Mirrors", TEXTS),
    field("Secure", BOOL),
    field("Official", BOOL),
]);

const RUNTIME: Shape = Shape::Struct(&[
    Field::embedded(
        "Runtime",
        &[
            field("Path", TEXT).key("path").optional(),
            field("Args", TEXTS).key("runtimeArgs").optional(),
            field("Type", TEXT).key("runtimeType").optional(),
            field("Options", Shape::Map(&Shape::Any))
                .key("options")
                .optional(),
        ],
    ),
    field("Status", TEXT_MAP).key("status").optional(),
]);

const COMMIT: Shape = Shape::Struct(&[field("ID", TEXT)]);

const CONTAINERD: Shape = Shape::Struct(&[
    field("Address", TEXT).optional(),
    field(
        "Namespaces",
        Shape::Struct(&[field("Containers", TEXT), field("Plugins", TEXT)]),
    ),
]);

/// Only a swarm has more than the state of not being one.
const SWARM: Shape = Shape::Struct(&[
    field("NodeID", TEXT),
    field("NodeAddr", TEXT),
    field("LocalNodeState", TEXT),
    field("ControlAvailable", BOOL),
    field("Error", TEXT),
    field(
        "RemoteManagers",
        Shape::List(&Shape::Struct(&[
            field("NodeID", TEXT),
            field("Addr", TEXT),
        ])),
    ),
    field("Nodes", INT).optional(),
    field("Managers", INT).optional(),
    field("Cluster", Shape::Pointer(&Shape::Any)).optional(),
    field("Warnings", TEXTS).optional(),
]);
