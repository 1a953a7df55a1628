use byname::{Context, ExitStatus};

#[byname::command("run")]
fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
