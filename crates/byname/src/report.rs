//! The one place where an error becomes text and a status.
//!
//! What an error says may come from anybody, so it is printed without what would steer a terminal: to a file, too, which
//! somebody may show on a terminal later.

use std::io::Write;

#[cfg(feature = "clap")]
use crate::clap_error;
use crate::color::Styles;
use crate::context::Context;
use crate::error::{Hints, StatusError, Text, UsageError};
use crate::output;
use crate::status::ExitStatus;

/// SIGPIPE, which ends other programs when nobody reads their output.
const BROKEN_PIPE: ExitStatus = ExitStatus::Signal(13);

/// Prints an error to the context's streams and says which status it means.
pub(crate) fn report(error: &anyhow::Error, cx: &mut Context) -> ExitStatus {
    if output::is_closed_output(error.as_ref()) {
        return BROKEN_PIPE;
    }
    #[cfg(feature = "clap")]
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        return report_clap(error, cx);
    }
    let status = error.downcast_ref::<StatusError>();
    let whole = match status.map(StatusError::text) {
        Some(Text::Silent) => None,
        Some(Text::Whole(text)) => {
            let end = if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            Some(format!("{}{end}", printable::lines(text)))
        }
        Some(Text::Message(_)) | None => Some(message(error, cx)),
    };
    if let Some(text) = whole {
        // There is no stream left to say it on if this fails.
        let _ = cx.err().write_all(text.as_bytes());
    }
    match status {
        Some(error) => error.status(),
        None if error.is::<UsageError>() => ExitStatus::Usage,
        None => ExitStatus::Failure,
    }
}

/// Prints an error as clap words it. Help that was asked for goes to the output and is success.
#[cfg(feature = "clap")]
fn report_clap(error: &clap::Error, cx: &mut Context) -> ExitStatus {
    let text = clap_error::text(error, cx);
    if !clap_error::is_asked_for(error) {
        // There is no stream left to say it on if this fails.
        let _ = cx.err().write_all(text.as_bytes());
        return ExitStatus::Usage;
    }
    match cx.out().write_all(text.as_bytes()) {
        Ok(()) => ExitStatus::Success,
        Err(error) => report(&error.into(), cx),
    }
}

/// `Error: `, the chain, and the hints below it.
fn message(error: &anyhow::Error, cx: &Context) -> String {
    let styles = Styles::of(&cx.streams().err, cx.environment());
    let said = chain(error);
    let said = printable::lines(&said);
    let mut text = format!("{} {said}\n", styles.error("Error:"));
    let known = error
        .downcast_ref::<Hints>()
        .map_or(&[][..], |hints| &hints.hints);
    let usage = error.is::<UsageError>().then(|| {
        let path = format!("{} help {}", cx.program(), cx.typed_name());
        format!("Run '{}' for more information.", path.trim())
    });
    let hints: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .chain(usage.as_deref())
        .collect();
    if !hints.is_empty() {
        let hints = hints.join("\n");
        text.push_str(&format!("\n{}\n", printable::lines(&hints)));
    }
    text
}

/// The texts of an error and its causes, joined by `: `. Many errors already end with their cause's text, and then it is
/// not said again.
fn chain(error: &anyhow::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if !text.is_empty() && !texts.last().is_some_and(|last| last.ends_with(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::error::ResultExt;

    fn failed() -> anyhow::Result<()> {
        Err(anyhow::anyhow!("connection refused"))
    }

    #[test]
    fn a_chain_says_each_text_once() {
        let error = failed()
            .context("reading x: connection refused")
            .context("loading")
            .unwrap_err();
        assert_eq!(chain(&error), "loading: reading x: connection refused");
    }

    #[test]
    fn hints_keep_their_order_and_are_no_part_of_the_chain() {
        let error = failed()
            .hint("Do one.")
            .context("step")
            .hint("Do two.")
            .unwrap_err();
        assert_eq!(chain(&error), "step: connection refused");
        assert_eq!(
            error.downcast_ref::<Hints>().unwrap().hints,
            ["Do one.", "Do two."]
        );
    }

    #[test]
    fn a_hint_hides_no_type() {
        let error = Err::<(), _>(StatusError::silent(ExitStatus::Code(3)))
            .hint("Do one.")
            .unwrap_err();
        assert_eq!(
            error.downcast_ref::<StatusError>().unwrap().status(),
            ExitStatus::Code(3)
        );
    }
}
