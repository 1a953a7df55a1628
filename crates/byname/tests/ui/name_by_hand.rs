use byname::{Command, Context, ExitStatus};

fn run(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

byname::register! {
    Command::new("../run", "Run it", run, byname::origin!())
}

fn main() {}
