use byname::{Context, ExitStatus, State};

struct Client;

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, _: Option<State<Client>>) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
