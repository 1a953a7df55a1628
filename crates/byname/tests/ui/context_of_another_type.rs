use byname::ExitStatus;

/// Run it
#[byname::command("run")]
fn run(_: &mut String) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
