use byname::{Context, ExitStatus, State};

struct Client;

#[derive(clap::Args)]
struct Run {
    image: String,
}

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, _: State<Client>, args: Run) -> anyhow::Result<ExitStatus> {
    drop(args.image);
    Ok(ExitStatus::Success)
}

fn main() {}
