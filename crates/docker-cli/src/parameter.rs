//! The words of a command in Docker's syntax, as a parameter of its function.

use byname::{Context, FromContext, Need, ParseWords, WordParser};

use crate::{docker, mistake};

/// The words of a command, parsed as Docker's client does: in its syntax of flags, of an option given twice the last
/// counts, and a mistake is worded in its way and ends with its status.
///
/// ```
/// use byname::{Context, command};
/// use docker_cli::Docker;
///
/// #[derive(clap::Args)]
/// struct Rename {
///     /// Container, by name or ID
///     container: String,
///     /// Its new name
///     name: String,
/// }
///
/// /// Rename a container
/// #[command("rename", alias = "container rename")]
/// fn rename(cx: &mut Context, Docker(args): Docker<Rename>) -> anyhow::Result<()> {
///     anyhow::ensure!(args.container != args.name, "it has this name already");
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Docker<T>(pub T);

impl<T: ParseWords> FromContext for Docker<T> {
    const PARSER: Option<WordParser> = Some(WordParser::Clap(parser::<T>));
    const NEEDS: &'static [Need] = &[];

    fn from_context(cx: &mut Context) -> anyhow::Result<Docker<T>> {
        let parsed = T::parse_words(cx, adapt);
        parsed
            .map(Docker)
            .map_err(|error| worded(error, parser::<T>, cx))
    }
}

/// The parser of a command's words in Docker's syntax.
pub fn parser<T: ParseWords>() -> clap::Command {
    adapt(T::parser())
}

fn adapt(parser: clap::Command) -> clap::Command {
    parser.args_override_self(true).mut_args(docker)
}

/// Words a mistake as Docker's client does; help that was asked for is none.
fn worded(error: anyhow::Error, parser: fn() -> clap::Command, cx: &Context) -> anyhow::Error {
    match error.downcast::<clap::Error>() {
        Ok(error) if error.exit_code() != 0 => mistake::worded(&error, &parser(), cx),
        Ok(error) => error.into(),
        Err(error) => error,
    }
}
