//! `engine info`: which engine is selected and why, and what the embedded engine can do on this machine.

use std::fmt::Write as _;

use byname::{Context, ExitStatus, State, UsageError, command};
use clap::Args;
use engine::Layout;
use engine::machine::{Ability, Machine, Survey};
use engine_client::{Address, Client};
use listing::{Inspection, Shape};
use serde_json::{Value, json};

use super::layout::state;
use crate::choice::Choice;

#[derive(Args)]
struct Info {
    /// Format the output: json, or a template such as '{{.Endpoint}}'
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Show the selected engine, and what the embedded engine can do on this machine
#[command("engine info", category = "Engine")]
fn info(
    cx: &mut Context,
    args: Info,
    choice: State<Choice>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let mut inspection = Inspection::parse_single(args.format.as_deref())
        .map_err(|error| UsageError::new(error.to_string()))?;
    let layout = state(&choice)?;
    let embedded = Embedded::look(&layout)?;
    let answer = match choice.endpoint.address() {
        // It is there, whether its state is or not, and asking would make that.
        Address::Embedded(_) => Ok(env!("CARGO_PKG_VERSION").to_owned()),
        _ => version(&client),
    };
    let text = match args.format {
        Some(_) => inspection.add(embedded.json(&choice, &answer), Shape::Any)?,
        None => embedded.described(&choice, &answer),
    };
    cx.out().write_text(&text)?;
    Ok(ExitStatus::Success)
}

/// The version of another engine, or why it is unknown.
fn version(client: &Client) -> Result<String, String> {
    let version = client.engine_version().map_err(|error| error.to_string())?;
    let text = version["Version"].as_str().unwrap_or("unknown");
    Ok(terminal::printable(text).into_owned())
}

/// The embedded engine.
struct Embedded {
    layout: Layout,
    /// The size of its root in bytes.
    size: u64,
    machine: Machine,
}

impl Embedded {
    fn look(layout: &Layout) -> anyhow::Result<Embedded> {
        let Survey { machine, size } = engine::machine::survey(layout)?;
        Ok(Embedded {
            layout: layout.clone(),
            size,
            machine,
        })
    }

    fn json(&self, choice: &Choice, answer: &Result<String, String>) -> Value {
        json!({
            "Endpoint": choice.endpoint.to_string(),
            "Reason": choice.reason.to_string(),
            "Version": answer.as_ref().ok(),
            "Error": answer.as_ref().err(),
            "Embedded": {
                "Version": env!("CARGO_PKG_VERSION"),
                "Root": self.layout.root(),
                "RuntimeDirectory": self.layout.run(),
                "Size": self.size,
                "Machine": self.machine,
            },
        })
    }

    fn described(&self, choice: &Choice, answer: &Result<String, String>) -> String {
        let mut text = format!(
            "Engine: {}\n Selected by: {}\n",
            choice.endpoint, choice.reason
        );
        // Writing to a string does not fail.
        let _ = match answer {
            Ok(version) => writeln!(text, " Version: {version}"),
            Err(error) => writeln!(text, " Error: {error}"),
        };
        let _ = write!(
            text,
            "Embedded engine:\n Version: {}\n Root: {}\n Runtime Directory: {}\n Size: {}\n",
            env!("CARGO_PKG_VERSION"),
            self.layout.root().display(),
            self.layout.run().display(),
            listing::human_size(self.size),
        );
        let Machine {
            limits,
            overlay,
            seccomp,
            nat,
            rootless,
        } = &self.machine;
        for (label, ability) in [
            ("Limits", limits),
            ("Overlay", overlay),
            ("Seccomp", seccomp),
            ("NAT", nat),
            ("Rootless", rootless),
        ] {
            let Ability { possible, because } = ability;
            let word = if *possible { "yes" } else { "no" };
            let _ = writeln!(text, " {label}: {word}, {because}");
        }
        text
    }
}
