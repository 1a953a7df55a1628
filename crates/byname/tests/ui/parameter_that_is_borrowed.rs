use byname::{Context, ExitStatus};

struct Client;

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, _: &Client) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
