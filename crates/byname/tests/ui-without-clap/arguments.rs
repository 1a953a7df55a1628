use byname::{Context, ExitStatus};

struct Run;

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, _: Run) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
