use byname::ExitStatus;

/// Run it
#[byname::command("run")]
fn run() -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
