/// Run it
#[byname::command("run")]
struct Run;

fn main() {}
