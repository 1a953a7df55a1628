//! Options for file systems: volumes, mounts, tmpfs.

use clap::Args;

use crate::values::byte_size;
use crate::values::mount::{self, NewMount};

/// Options about volumes and file systems.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Storage")]
pub(crate) struct StorageOptions {
    /// Mount a host path or a volume, or create an anonymous volume
    #[arg(short, long = "volume", value_name = "[SOURCE:]PATH[:OPTIONS]")]
    pub(crate) volumes: Vec<String>,
    /// Mount by fields, as in type=bind,source=/src,target=/dst,readonly; types: bind, volume, tmpfs, image
    #[arg(long = "mount", value_name = "FIELDS", value_parser = mount::parse)]
    pub(crate) mounts: Vec<NewMount>,
    /// Mount the volumes of another container
    #[arg(long, value_name = "CONTAINER[:OPTIONS]")]
    pub(crate) volumes_from: Vec<String>,
    /// Driver for new volumes
    #[arg(long, value_name = "DRIVER")]
    pub(crate) volume_driver: Option<String>,
    /// Mount a temporary file system
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    pub(crate) tmpfs: Vec<String>,
    /// Mount the engine's API socket, with your credentials for registries
    #[arg(long)]
    pub(crate) use_api_socket: bool,
    /// Option of the storage driver, such as size=10G
    #[arg(long = "storage-opt", value_name = "NAME=VALUE")]
    pub(crate) storage_options: Vec<String>,
    /// Mount the container's root file system read-only
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Size of /dev/shm
    #[arg(long, value_name = "SIZE", value_parser = byte_size::parse)]
    pub(crate) shm_size: Option<i64>,
}
