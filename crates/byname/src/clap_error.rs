//! clap's errors as text.

use clap::error::{ContextValue, ErrorKind};

use crate::color::Styles;
use crate::context::Context;

/// Whether this is what the user asked for, help or a version: then it goes to the output and is success.
pub(crate) fn is_asked_for(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    )
}

/// The error in clap's own words, in the colors of the stream that it goes to. An error with a word of the user's that
/// would steer a terminal has no colors, for they cannot be told from what the word does, and is without it.
pub(crate) fn text(error: &clap::Error, cx: &Context) -> String {
    if error.context().any(|(_, value)| is_steering(value)) {
        return printable::lines(&error.render().to_string()).into_owned();
    }
    let output = match is_asked_for(error) {
        true => &cx.streams().out,
        false => &cx.streams().err,
    };
    styled(&error.render(), Styles::of(output, cx.environment()))
}

fn is_steering(value: &ContextValue) -> bool {
    let is_steering = |text: &str| text.contains(printable::is_steering);
    match value {
        ContextValue::String(text) => is_steering(text),
        ContextValue::Strings(texts) => texts.iter().any(|text| is_steering(text)),
        _ => false,
    }
}

/// Text of clap's with the styles or without.
pub(crate) fn styled(text: &clap::builder::StyledStr, styles: Styles) -> String {
    if styles.is_colored() {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}
