//! Options for resource limits.

use clap::Args;
use engine_client::models::{DeviceRequest, ResourcesUlimits};

use crate::values::{byte_size, cpus, gpus, integer, ulimit};

/// Options about limits.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Resources")]
pub(crate) struct ResourceOptions {
    /// Number of CPUs, such as 1.5
    #[arg(long, value_name = "NUMBER", value_parser = cpus::parse)]
    pub(crate) cpus: Option<i64>,
    /// Share of the CPUs relative to other containers
    #[arg(short, long, value_name = "WEIGHT", value_parser = integer::parse)]
    pub(crate) cpu_shares: Option<i64>,
    /// Period of the CPU scheduler in microseconds
    #[arg(long, value_name = "MICROSECONDS", value_parser = integer::parse)]
    pub(crate) cpu_period: Option<i64>,
    /// CPU time in each period in microseconds
    #[arg(long, value_name = "MICROSECONDS", value_parser = integer::parse)]
    pub(crate) cpu_quota: Option<i64>,
    /// Period of the real-time scheduler in microseconds
    #[arg(long, value_name = "MICROSECONDS", value_parser = integer::parse)]
    pub(crate) cpu_rt_period: Option<i64>,
    /// Real-time CPU time in each period in microseconds
    #[arg(long, value_name = "MICROSECONDS", value_parser = integer::parse)]
    pub(crate) cpu_rt_runtime: Option<i64>,
    /// CPUs to run on, such as 0-3 or 0,1
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_cpus: Option<String>,
    /// Memory nodes to allocate from, such as 0-3 or 0,1
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_mems: Option<String>,
    /// Limit of memory
    #[arg(short, long, value_name = "SIZE", value_parser = byte_size::parse)]
    pub(crate) memory: Option<i64>,
    /// Soft memory limit, enforced when the host runs low
    #[arg(long, value_name = "SIZE", value_parser = byte_size::parse)]
    pub(crate) memory_reservation: Option<i64>,
    /// Limit of memory and swap together; -1 for unlimited swap
    #[arg(long, value_name = "SIZE", value_parser = byte_size::parse_or_unlimited)]
    pub(crate) memory_swap: Option<i64>,
    /// Readiness to swap, 0 to 100; -1 for the host's
    #[arg(long, value_name = "PERCENT", value_parser = integer::parse)]
    pub(crate) memory_swappiness: Option<i64>,
    /// Limit of the kernel's memory; no kernel has one
    #[arg(long, hide = true, value_name = "SIZE", value_parser = byte_size::parse)]
    pub(crate) kernel_memory: Option<i64>,
    /// Never kill the container's processes when memory runs out
    #[arg(long)]
    pub(crate) oom_kill_disable: bool,
    /// Likelihood of being killed when memory runs out, -1000 to 1000
    #[arg(long, value_name = "NUMBER", value_parser = integer::parse)]
    pub(crate) oom_score_adj: Option<i64>,
    /// Number of processes; -1 for unlimited
    #[arg(long, value_name = "NUMBER", value_parser = integer::parse)]
    pub(crate) pids_limit: Option<i64>,
    /// Limit of a process, such as nofile=1024:2048
    #[arg(long = "ulimit", value_name = "NAME=SOFT[:HARD]", value_parser = ulimit::parse)]
    pub(crate) ulimits: Vec<ResourcesUlimits>,
    /// Parent of the container's control group
    #[arg(long, value_name = "PATH")]
    pub(crate) cgroup_parent: Option<String>,
    /// GPUs: all, a number, or fields such as '"device=0,1",driver=NAME'
    #[arg(long, value_name = "GPUS", value_parser = gpus::parse)]
    pub(crate) gpus: Vec<DeviceRequest>,
}
