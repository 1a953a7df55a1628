use byname::{Context, ExitStatus};

/// Run it
#[byname::command("Run")]
fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
