use byname::{Context, ExitStatus, RawWords, State};

struct Client;

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, _: State<Client>, _: RawWords) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
