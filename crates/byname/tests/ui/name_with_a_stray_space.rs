use byname::{Context, ExitStatus};

/// Run it
#[byname::command("groups  create")]
fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
