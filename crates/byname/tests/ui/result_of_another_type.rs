use byname::Context;

/// Run it
#[byname::command("run")]
fn run(_: &mut Context) -> anyhow::Result<u8> {
    Ok(0)
}

fn main() {}
