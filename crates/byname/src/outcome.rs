//! What a function under `#[command]` may return.

use crate::status::ExitStatus;

/// The results that `#[command]` accepts and makes a handler's result of.
#[diagnostic::on_unimplemented(
    message = "a command's function returns `anyhow::Result<ExitStatus>` or `anyhow::Result<()>`, not `{Self}`",
    label = "this function is a command",
    note = "one that cannot fail may return `ExitStatus` or nothing"
)]
pub trait IntoOutcome {
    /// The handler's result; `()` is success.
    ///
    /// # Errors
    /// The function's own.
    fn into_outcome(self) -> anyhow::Result<ExitStatus>;
}

impl IntoOutcome for anyhow::Result<ExitStatus> {
    fn into_outcome(self) -> anyhow::Result<ExitStatus> {
        self
    }
}

impl IntoOutcome for anyhow::Result<()> {
    fn into_outcome(self) -> anyhow::Result<ExitStatus> {
        self.map(|()| ExitStatus::Success)
    }
}

impl IntoOutcome for ExitStatus {
    fn into_outcome(self) -> anyhow::Result<ExitStatus> {
        Ok(self)
    }
}

impl IntoOutcome for () {
    fn into_outcome(self) -> anyhow::Result<ExitStatus> {
        Ok(ExitStatus::Success)
    }
}
