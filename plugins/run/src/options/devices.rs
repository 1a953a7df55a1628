//! Options for devices and their limits.

use clap::Args;
use engine_client::models::{ResourcesBlkioWeightDevice, ThrottleDevice};

use crate::values::{block_device, device_rule, integer};

/// Options about devices.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Devices")]
pub(crate) struct DeviceOptions {
    /// Add a device of the host, or one with a CDI name such as vendor.com/gpu=0
    // What is a device depends on what the engine runs on, so these are parsed when that is known.
    #[arg(long = "device", value_name = "DEVICE[:PATH][:rwm]")]
    pub(crate) devices: Vec<String>,
    /// Allow devices by a rule, such as 'c 13:* rwm'
    #[arg(long = "device-cgroup-rule", value_name = "RULE", value_parser = device_rule::parse)]
    pub(crate) device_rules: Vec<String>,
    /// Limit reading from a device, in bytes a second
    #[arg(long, value_name = "DEVICE:SIZE", value_parser = block_device::parse_byte_rate)]
    pub(crate) device_read_bps: Vec<ThrottleDevice>,
    /// Limit reading from a device, in operations a second
    #[arg(long, value_name = "DEVICE:NUMBER", value_parser = block_device::parse_operation_rate)]
    pub(crate) device_read_iops: Vec<ThrottleDevice>,
    /// Limit writing to a device, in bytes a second
    #[arg(long, value_name = "DEVICE:SIZE", value_parser = block_device::parse_byte_rate)]
    pub(crate) device_write_bps: Vec<ThrottleDevice>,
    /// Limit writing to a device, in operations a second
    #[arg(long, value_name = "DEVICE:NUMBER", value_parser = block_device::parse_operation_rate)]
    pub(crate) device_write_iops: Vec<ThrottleDevice>,
    /// Share of block devices relative to other containers, 10 to 1000; 0 for none
    #[arg(long, value_name = "WEIGHT", value_parser = integer::parse_u16)]
    pub(crate) blkio_weight: Option<u16>,
    /// The same for one device
    #[arg(long, value_name = "DEVICE:WEIGHT", value_parser = block_device::parse_weight)]
    pub(crate) blkio_weight_device: Vec<ResourcesBlkioWeightDevice>,
}
