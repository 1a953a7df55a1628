//! The syntaxes of option values: one kind a file, each a pure function of the text.

pub(crate) mod attach;
pub(crate) mod block_device;
pub(crate) mod byte_size;
pub(crate) mod capability;
pub(crate) mod cpus;
pub(crate) mod device;
pub(crate) mod device_rule;
pub(crate) mod dns;
pub(crate) mod duration;
pub(crate) mod extra_host;
pub(crate) mod gpus;
pub(crate) mod integer;
pub(crate) mod ip_address;
pub(crate) mod label;
pub(crate) mod link;
pub(crate) mod log_driver;
pub(crate) mod mac_address;
pub(crate) mod mount;
pub(crate) mod namespace;
pub(crate) mod network;
pub(crate) mod path;
pub(crate) mod port;
pub(crate) mod pull_policy;
pub(crate) mod restart;
pub(crate) mod rootfs;
pub(crate) mod security;
pub(crate) mod storage_option;
pub(crate) mod sysctl;
pub(crate) mod tmpfs;
pub(crate) mod ulimit;
pub(crate) mod volume;

pub(crate) use docker_cli::{InvalidValue, csv};
