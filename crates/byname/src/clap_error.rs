//! clap's errors as text.

use clap::error::ErrorKind;

use crate::color::Styles;
use crate::context::Context;

/// Whether this is what the user asked for, help or a version: then it goes to the output and is success.
pub(crate) fn is_asked_for(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    )
}

/// The error in clap's own words, in the colors of the stream that it goes to.
pub(crate) fn text(error: &clap::Error, cx: &Context) -> String {
    let output = match is_asked_for(error) {
        true => &cx.streams().out,
        false => &cx.streams().err,
    };
    styled(&error.render(), Styles::of(output, cx.environment()))
}

/// Text of clap's with the styles or without.
pub(crate) fn styled(text: &clap::builder::StyledStr, styles: Styles) -> String {
    if styles.is_colored() {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}
