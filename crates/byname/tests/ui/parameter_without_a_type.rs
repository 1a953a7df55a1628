use byname::{Context, ExitStatus};

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, _: impl clap::Args) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
