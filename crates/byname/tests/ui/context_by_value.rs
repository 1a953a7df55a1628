use byname::{Context, ExitStatus};

/// Run it
#[byname::command("run")]
fn run(_: &Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
