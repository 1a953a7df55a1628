use byname::{Context, ExitStatus};

/// Run it
#[byname::command("run")]
async fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
