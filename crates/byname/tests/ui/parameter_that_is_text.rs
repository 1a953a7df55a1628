use byname::{Context, ExitStatus};

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, image: String) -> anyhow::Result<ExitStatus> {
    drop(image);
    Ok(ExitStatus::Success)
}

fn main() {}
