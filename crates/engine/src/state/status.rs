//! How a container is.

use std::fmt;

use bollard_stubs::models::NetworkSettings;
use serde::{Deserialize, Serialize};

use super::{Moment, Recorded};

/// The word for how a container is, as in the Engine API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was made and never started, or its start failed.
    #[default]
    Created,
    /// Its first process runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// It ended, and its policy has it start again.
    Restarting,
    /// It is being removed.
    Removing,
    /// It ended.
    Exited,
    /// It could not be removed.
    Dead,
}

impl Status {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Restarting => "restarting",
            Status::Removing => "removing",
            Status::Exited => "exited",
            Status::Dead => "dead",
        }
    }

    /// Whether somebody has to be there for it: a monitor, which holds the lock.
    pub fn needs_monitor(self) -> bool {
        matches!(
            self,
            Status::Running | Status::Paused | Status::Restarting | Status::Removing
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The file `state.json`: how a container is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The word for it.
    pub status: Status,
    /// The first process, if there is one, and the boot of the machine that the rest of this is about.
    #[serde(flatten)]
    pub process: Recorded,
    /// When it started last.
    pub started_at: Option<Moment>,
    /// When it ended last.
    pub finished_at: Option<Moment>,
    /// What it ended with: its own code, 128 + the number of a signal, or what Docker gives a failed start.
    pub exit_code: i64,
    /// Why it could not be started, or what is unknown about its end.
    pub error: String,
    /// Whether the kernel killed a process of it for want of memory.
    pub oom_killed: bool,
    /// How often its policy started it again.
    pub restart_count: u64,
    /// Whether a user stopped it, so that `unless-stopped` leaves it stopped.
    pub stopped_by_user: bool,
    /// Whether it is removed with its anonymous volumes: for whoever goes on with that.
    pub removes_volumes: bool,
    /// How its health checks went; nothing for a container without.
    pub health: Option<Health>,
    /// Its networks, while it has them.
    pub network: Option<NetworkSettings>,
}

impl State {
    /// What the API calls `Running`: its first process is there, going or frozen, or is going to be there again.
    pub fn is_running(&self) -> bool {
        matches!(
            self.status,
            Status::Running | Status::Paused | Status::Restarting
        )
    }
}

/// How a container's health checks went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// The word for it.
    pub status: HealthStatus,
    /// How many of the last checks failed in a row.
    pub failing_streak: u64,
    /// The last five, oldest first.
    pub log: Vec<Probe>,
}

/// The word for a container's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// No check succeeded yet, and not too many failed.
    #[default]
    Starting,
    /// The last check succeeded, or too few failed since.
    Healthy,
    /// Too many failed in a row.
    Unhealthy,
}

impl HealthStatus {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            HealthStatus::Starting => "starting",
            HealthStatus::Healthy => "healthy",
            HealthStatus::Unhealthy => "unhealthy",
        }
    }
}

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// When it began.
    pub start: Moment,
    /// When it ended.
    pub end: Moment,
    /// What it ended with; -1 if it took too long.
    pub exit_code: i64,
    /// What it wrote, cut at 4096 bytes.
    pub output: String,
}
