//! Options for privileges and isolation.

use clap::Args;

use crate::values::sysctl;

/// Options about isolation.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Security")]
pub(crate) struct SecurityOptions {
    /// Give the container all capabilities and devices of the host
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Add a capability; ALL for all
    #[arg(long, value_name = "CAPABILITY")]
    pub(crate) cap_add: Vec<String>,
    /// Drop a capability; ALL for all
    #[arg(long, value_name = "CAPABILITY")]
    pub(crate) cap_drop: Vec<String>,
    /// Option such as no-new-privileges, label=disable or seccomp=FILE
    #[arg(long, value_name = "OPTION")]
    pub(crate) security_opt: Vec<String>,
    /// Set a kernel parameter of the container's namespaces
    #[arg(long = "sysctl", value_name = "NAME=VALUE", value_parser = sysctl::parse)]
    pub(crate) sysctls: Vec<(String, String)>,
    /// Control group namespace: host or private
    #[arg(long, value_name = "MODE")]
    pub(crate) cgroupns: Option<String>,
    /// IPC namespace: private, shareable, host, none or container:NAME
    #[arg(long, value_name = "MODE")]
    pub(crate) ipc: Option<String>,
    /// PID namespace: host or container:NAME
    #[arg(long, value_name = "MODE")]
    pub(crate) pid: Option<String>,
    /// User namespace: host
    #[arg(long, value_name = "MODE")]
    pub(crate) userns: Option<String>,
    /// UTS namespace: host
    #[arg(long, value_name = "MODE")]
    pub(crate) uts: Option<String>,
}
