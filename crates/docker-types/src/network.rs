//! Endpoints in networks, and ports. Addresses are texts.

use listing::{Shape, TEXT_MAP, TEXTS};

use crate::{INT, TEXT, field};

/// A container in a network.
pub(crate) const ENDPOINT: Shape = Shape::Struct(&[
    field("IPAMConfig", Shape::Pointer(&IPAM_CONFIG)),
    field("Links", TEXTS),
    field("Aliases", TEXTS),
    field("DriverOpts", TEXT_MAP),
    field("GwPriority", INT),
    field("NetworkID", TEXT),
    field("EndpointID", TEXT),
    field("Gateway", TEXT),
    field("IPAddress", TEXT),
    field("MacAddress", TEXT),
    field("IPPrefixLen", INT),
    field("IPv6Gateway", TEXT),
    field("GlobalIPv6Address", TEXT),
    field("GlobalIPv6PrefixLen", INT),
    field("DNSNames", TEXTS),
]);

const IPAM_CONFIG: Shape = Shape::Struct(&[
    field("IPv4Address", TEXT).optional(),
    field("IPv6Address", TEXT).optional(),
    field("LinkLocalIPs", TEXTS).optional(),
]);

/// Where on the host a container's ports are, by the port, as `80/tcp`.
pub(crate) const PORT_MAP: Shape = Shape::Map(&Shape::List(&PORT_BINDING));

const PORT_BINDING: Shape =
    Shape::Struct(&[field("HostIP", TEXT).key("HostIp"), field("HostPort", TEXT)]);
