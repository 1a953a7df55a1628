use byname::{Context, ExitStatus};
use byname::command;

/// Run it
#[command("run")]
#[command("go")]
fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
