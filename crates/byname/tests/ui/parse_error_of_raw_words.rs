use byname::{Context, ExitStatus};

fn map(error: clap::Error, _: &Context) -> anyhow::Error {
    error.into()
}

/// Run it
#[byname::command("run", parse_error = map)]
fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
