//! Splits a command's doc comment: the first paragraph is the summary, the rest the long help.

use syn::{Attribute, Expr, ExprLit, Ident, Lit, Meta};

/// What help says of a command.
pub(crate) struct Doc {
    pub(crate) summary: String,
    pub(crate) long_help: Option<String>,
}

impl Doc {
    /// Reads the doc comment of the function `ident`.
    pub(crate) fn read(attributes: &[Attribute], ident: &Ident) -> syn::Result<Doc> {
        let text = attributes
            .iter()
            .filter_map(literal)
            .collect::<Vec<_>>()
            .join("\n");
        let mut paragraphs = paragraphs(&text).into_iter();
        let Some(mut summary) = paragraphs.next() else {
            let message = "a command needs a summary: write a doc comment above the function, whose first paragraph \
                           says in one line what the command does";
            return Err(syn::Error::new(ident.span(), message));
        };
        summary = summary.replace('\n', " ");
        if summary.ends_with('.') && !summary.ends_with("..") {
            summary.pop();
        }
        let rest = paragraphs.collect::<Vec<_>>().join("\n\n");
        Ok(Doc {
            summary,
            long_help: (!rest.is_empty()).then_some(rest),
        })
    }
}

/// The text of one line (or block) of a doc comment.
fn literal(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Paragraphs with their lines joined, so that help can wrap them; list items and indented lines stay lines.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut ended = true;
    for line in text.lines() {
        // `/// text` has one space that is not the author's.
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        if line.is_empty() {
            ended = true;
            continue;
        }
        match paragraphs.last_mut() {
            Some(paragraph) if !ended => {
                let is_laid_out = line.starts_with([' ', '-', '*']);
                paragraph.push(if is_laid_out { '\n' } else { ' ' });
                paragraph.push_str(line);
            }
            _ => paragraphs.push(line.to_owned()),
        }
        ended = false;
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_lists_are_not() {
        let text = " One\n two\n\n Three:\n - a\n - b\n\n\n    code";
        assert_eq!(paragraphs(text), ["One two", "Three:\n- a\n- b", "   code"]);
        assert!(paragraphs("\n \n").is_empty());
    }
}
