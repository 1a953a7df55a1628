use byname::{Context, ExitStatus};

/// Run it
#[byname::command("run", category = "A", hidden, category = "B")]
fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
