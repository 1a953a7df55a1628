use std::rc::Rc;

use byname::{Context, ExitStatus, State};

/// Run it
#[byname::command("run")]
fn run(_: &mut Context, _: State<Rc<String>>) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

fn main() {}
