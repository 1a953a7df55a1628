//! Commands with several operands.

use crate::context::Context;
use crate::output;
use crate::report::report;
use crate::status::ExitStatus;

/// Does the same with each operand, whatever becomes of the others: a failure is reported at once and the rest is still
/// done. The status is that of the first failure.
///
/// When nobody reads the command's output any more there is no point in going on: that ends it, quietly.
///
/// ```
/// use byname::{Context, ExitStatus, RawWords, for_each_operand};
///
/// /// Remove groups
/// #[byname::command("groups remove")]
/// fn remove(cx: &mut Context, RawWords(groups): RawWords) -> anyhow::Result<ExitStatus> {
///     for_each_operand(cx, groups, |_, group| {
///         anyhow::ensure!(group != "admins", "the group admins stays");
///         Ok(())
///     })
/// }
/// ```
///
/// # Errors
/// Only that the output is closed.
pub fn for_each_operand<T>(
    cx: &mut Context,
    operands: impl IntoIterator<Item = T>,
    mut act: impl FnMut(&mut Context, T) -> anyhow::Result<()>,
) -> anyhow::Result<ExitStatus> {
    let mut first = None;
    for operand in operands {
        if let Err(error) = act(cx, operand) {
            if output::is_closed_output(error.as_ref()) {
                return Err(error);
            }
            let status = report(&error, cx);
            first.get_or_insert(status);
        }
    }
    Ok(first.unwrap_or(ExitStatus::Success))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StatusError;
    use crate::{Environment, Input, Output, Streams};

    #[test]
    fn one_failure_keeps_nothing_else_from_being_done() {
        let ((out, written), (err, reported)) = (Output::buffer(), Output::buffer());
        let streams = Streams::new(Input::empty(), out, err);
        let mut cx = Context::new(streams, Environment::from_iter([] as [(&str, &str); 0]));
        let status = for_each_operand(&mut cx, [1, 2, 3, 4], |cx, number: u8| {
            use std::io::Write as _;
            if number.is_multiple_of(2) {
                let status = ExitStatus::Code(number);
                return Err(StatusError::whole(status, format!("no {number}")).into());
            }
            Ok(writeln!(cx.out(), "{number}")?)
        });
        assert_eq!(status.expect("a status"), ExitStatus::Code(2));
        assert_eq!(written.text(), "1\n3\n");
        assert_eq!(reported.text(), "no 2\nno 4\n");
    }
}
