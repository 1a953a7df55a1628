//! What a container has of its host.

use listing::{Field, Shape, TEXT_MAP, TEXTS};

use crate::network::PORT_MAP;
use crate::{BOOL, INT, ROWS, TEXT, UINT, field};

/// `HostConfig` of a container.
pub(crate) const HOST_CONFIG: Shape = Shape::Struct(&[
    field("Binds", TEXTS),
    field("ContainerIDFile", TEXT),
    field("LogConfig", LOG_CONFIG),
    field("NetworkMode", TEXT),
    field("PortBindings", PORT_MAP),
    field("RestartPolicy", RESTART_POLICY),
    field("AutoRemove", BOOL),
    field("VolumeDriver", TEXT),
    field("VolumesFrom", TEXTS),
    field("ConsoleSize", Shape::List(&UINT)),
    field("Annotations", TEXT_MAP).optional(),
    field("CapAdd", TEXTS),
    field("CapDrop", TEXTS),
    field("CgroupnsMode", TEXT),
    field("DNS", TEXTS).key("Dns"),
    field("DNSOptions", TEXTS).key("DnsOptions"),
    field("DNSSearch", TEXTS).key("DnsSearch"),
    field("ExtraHosts", TEXTS),
    field("GroupAdd", TEXTS),
    field("IpcMode", TEXT),
    field("Cgroup", TEXT),
    field("Links", TEXTS),
    field("OomScoreAdj", INT),
    field("PidMode", TEXT),
    field("Privileged", BOOL),
    field("PublishAllPorts", BOOL),
    field("ReadonlyRootfs", BOOL),
    field("SecurityOpt", TEXTS),
    field("StorageOpt", TEXT_MAP).optional(),
    field("Tmpfs", TEXT_MAP).optional(),
    field("UTSMode", TEXT),
    field("UsernsMode", TEXT),
    field("ShmSize", INT),
    field("Sysctls", TEXT_MAP).optional(),
    field("Runtime", TEXT).optional(),
    field("Isolation", TEXT),
    Field::embedded("Resources", RESOURCES),
    field("Mounts", Shape::List(&MOUNT)).optional(),
    field("MaskedPaths", TEXTS),
    field("ReadonlyPaths", TEXTS),
    field("Init", Shape::Pointer(&BOOL)).optional(),
]);

const RESOURCES: &[Field] = &[
    field("CPUShares", INT).key("CpuShares"),
    field("Memory", INT),
    field("NanoCPUs", INT).key("NanoCpus"),
    field("CgroupParent", TEXT),
    field("BlkioWeight", UINT),
    field("BlkioWeightDevice", Shape::List(&WEIGHT_DEVICE)),
    field("BlkioDeviceReadBps", Shape::List(&THROTTLE_DEVICE)),
    field("BlkioDeviceWriteBps", Shape::List(&THROTTLE_DEVICE)),
    field("BlkioDeviceReadIOps", Shape::List(&THROTTLE_DEVICE)),
    field("BlkioDeviceWriteIOps", Shape::List(&THROTTLE_DEVICE)),
    field("CPUPeriod", INT).key("CpuPeriod"),
    field("CPUQuota", INT).key("CpuQuota"),
    field("CPURealtimePeriod", INT).key("CpuRealtimePeriod"),
    field("CPURealtimeRuntime", INT).key("CpuRealtimeRuntime"),
    field("CpusetCpus", TEXT),
    field("CpusetMems", TEXT),
    field("Devices", Shape::List(&DEVICE)),
    field("DeviceCgroupRules", TEXTS),
    field("DeviceRequests", Shape::List(&DEVICE_REQUEST)),
    field("MemoryReservation", INT),
    field("MemorySwap", INT),
    field("MemorySwappiness", Shape::Pointer(&INT)),
    field("OomKillDisable", Shape::Pointer(&BOOL)),
    field("PidsLimit", Shape::Pointer(&INT)),
    field("Ulimits", Shape::List(&Shape::Pointer(&ULIMIT))),
    field("CPUCount", INT).key("CpuCount"),
    field("CPUPercent", INT).key("CpuPercent"),
    field("IOMaximumIOps", UINT),
    field("IOMaximumBandwidth", UINT),
];

const LOG_CONFIG: Shape = Shape::Struct(&[field("Type", TEXT), field("Config", TEXT_MAP)]);

const RESTART_POLICY: Shape =
    Shape::Struct(&[field("Name", TEXT), field("MaximumRetryCount", INT)]);

const WEIGHT_DEVICE: Shape = Shape::Pointer(&Shape::Struct(&[
    field("Path", TEXT),
    field("Weight", UINT),
]));

const THROTTLE_DEVICE: Shape =
    Shape::Pointer(&Shape::Struct(&[field("Path", TEXT), field("Rate", UINT)]));

const DEVICE: Shape = Shape::Struct(&[
    field("PathOnHost", TEXT),
    field("PathInContainer", TEXT),
    field("CgroupPermissions", TEXT),
]);

const DEVICE_REQUEST: Shape = Shape::Struct(&[
    field("Driver", TEXT),
    field("Count", INT),
    field("DeviceIDs", TEXTS),
    field("Capabilities", ROWS),
    field("Options", TEXT_MAP),
]);

const ULIMIT: Shape = Shape::Spelled(
    &[field("Name", TEXT), field("Hard", INT), field("Soft", INT)],
    "{Name}={Soft}:{Hard}",
);

const MOUNT: Shape = Shape::Struct(&[
    field("Type", TEXT).optional(),
    field("Source", TEXT).optional(),
    field("Target", TEXT).optional(),
    field("ReadOnly", BOOL).optional(),
    field("Consistency", TEXT).optional(),
    field("BindOptions", Shape::Pointer(&BIND_OPTIONS)).optional(),
    field("VolumeOptions", Shape::Pointer(&VOLUME_OPTIONS)).optional(),
    field("ImageOptions", Shape::Pointer(&IMAGE_OPTIONS)).optional(),
    field("TmpfsOptions", Shape::Pointer(&TMPFS_OPTIONS)).optional(),
    field("ClusterOptions", Shape::Pointer(&Shape::Struct(&[]))).optional(),
]);

const BIND_OPTIONS: Shape = Shape::Struct(&[
    field("Propagation", TEXT).optional(),
    field("NonRecursive", BOOL).optional(),
    field("CreateMountpoint", BOOL).optional(),
    field("ReadOnlyNonRecursive", BOOL).optional(),
    field("ReadOnlyForceRecursive", BOOL).optional(),
]);

const VOLUME_OPTIONS: Shape = Shape::Struct(&[
    field("NoCopy", BOOL).optional(),
    field("Labels", TEXT_MAP).optional(),
    field("Subpath", TEXT).optional(),
    field("DriverConfig", Shape::Pointer(&DRIVER)).optional(),
]);

const DRIVER: Shape = Shape::Struct(&[
    field("Name", TEXT).optional(),
    field("Options", TEXT_MAP).optional(),
]);

const IMAGE_OPTIONS: Shape = Shape::Struct(&[field("Subpath", TEXT).optional()]);

const TMPFS_OPTIONS: Shape = Shape::Struct(&[
    field("SizeBytes", INT).optional(),
    field("Mode", UINT).optional(),
    field("Options", ROWS).optional(),
]);
