use byname::{Context, ExitStatus, RawWords};

#[derive(clap::Args)]
struct Run {
    image: String,
}

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, args: Run, _: RawWords) -> anyhow::Result<ExitStatus> {
    drop(args.image);
    Ok(ExitStatus::Success)
}

fn main() {}
