use byname::{Context, ExitStatus};

/// Run it
#[byname::command]
fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

/// Stop it
#[byname::command(alias = "halt")]
fn stop(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
