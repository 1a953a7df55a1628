//! Whether a stream gets colours, and which.
//!
//! `NO_COLOR` (<https://no-color.org>), `CLICOLOR` and `CLICOLOR_FORCE` (<https://bixense.com/clicolors/>), and the
//! stream itself decide, in the dispatch's own environment.

use anstyle::{AnsiColor, Style};

use crate::environment::Environment;
use crate::output::Output;

/// The styles of help and errors, all plain where the stream gets no colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Styles {
    colored: bool,
}

impl Styles {
    pub(crate) const PLAIN: Styles = Styles { colored: false };

    pub(crate) fn of(output: &Output, environment: &Environment) -> Styles {
        Styles {
            colored: is_colored(environment, output.is_terminal()),
        }
    }

    #[cfg(feature = "clap")]
    pub(crate) fn is_colored(self) -> bool {
        self.colored
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.paint(
            Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
            text,
        )
    }

    pub(crate) fn header(self, text: &str) -> String {
        self.paint(Style::new().bold().underline(), text)
    }

    pub(crate) fn literal(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        match self.colored {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}

fn is_colored(environment: &Environment, terminal: bool) -> bool {
    let is_zero = |name| environment.get(name).is_some_and(|value| value == "0");
    if environment.is_set("NO_COLOR") {
        false
    } else if environment.is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE") {
        true
    } else {
        let dumb = environment.get("TERM").is_some_and(|value| value == "dumb");
        terminal && !dumb && !is_zero("CLICOLOR")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_and_the_stream_decide() {
        type Case = (&'static [(&'static str, &'static str)], bool, bool);
        let cases: [Case; 10] = [
            (&[], true, true),
            (&[], false, false),
            (&[("NO_COLOR", "1")], true, false),
            (&[("NO_COLOR", "")], true, true),
            (&[("CLICOLOR", "0")], true, false),
            (&[("CLICOLOR", "1")], false, false),
            (&[("CLICOLOR_FORCE", "1")], false, true),
            (&[("CLICOLOR_FORCE", "0")], false, false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false),
            (&[("TERM", "dumb")], true, false),
        ];
        for (variables, terminal, expected) in cases {
            let environment = variables.iter().copied().collect();
            assert_eq!(
                is_colored(&environment, terminal),
                expected,
                "{variables:?} {terminal}"
            );
        }
    }
}
