use byname::{Context, ExitStatus};

struct Run {
    image: String,
}

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, args: Run) -> anyhow::Result<ExitStatus> {
    drop(args.image);
    Ok(ExitStatus::Success)
}

fn main() {}
