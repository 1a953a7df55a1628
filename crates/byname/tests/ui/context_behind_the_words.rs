use byname::{Context, ExitStatus};

#[derive(clap::Args)]
struct Run {
    image: String,
}

/// Run it
#[byname::command("run")]
fn run(args: Run, _: &mut Context) -> anyhow::Result<ExitStatus> {
    drop(args.image);
    Ok(ExitStatus::Success)
}

fn main() {}
