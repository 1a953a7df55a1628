//! Processes that join a container.

use bollard_stubs::models::ExecConfig;
use serde::{Deserialize, Serialize};

use super::Recorded;

/// The file `exec/ID.json` in a container's runtime directory: one process that joins, or joined, or is going to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// 64 hexadecimal digits.
    pub id: String,
    /// The container's id.
    pub container: String,
    /// What was asked for.
    pub config: ExecConfig,
    /// Whether it runs.
    pub running: bool,
    /// The process; none before it starts.
    #[serde(flatten)]
    pub process: Recorded,
    /// What it ended with; nothing before it does.
    pub exit_code: Option<i64>,
}
