//! Parses the keys inside `#[command(...)]`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

use crate::name;

/// The parsed attribute.
pub(crate) struct Options {
    pub(crate) name: LitStr,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) category: Option<LitStr>,
    pub(crate) usage: Option<LitStr>,
    pub(crate) hidden: bool,
}

/// One more name.
pub(crate) struct Alias {
    pub(crate) name: LitStr,
    pub(crate) hidden: bool,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Options> {
        if !input.peek(LitStr) {
            return Err(syn::Error::new(
                input.span(),
                "the command's name comes first: #[command(\"groups create\")]",
            ));
        }
        let mut options = Options {
            name: parse_name(input)?,
            aliases: Vec::new(),
            category: None,
            usage: None,
            hidden: false,
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            options.parse_option(input)?;
        }
        Ok(options)
    }
}

impl Options {
    fn parse_option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let key: Ident = input.parse()?;
        let once = |is_given: bool| match is_given {
            true => Err(syn::Error::new(
                key.span(),
                format!("`{key}` is given twice"),
            )),
            false => Ok(()),
        };
        match key.to_string().as_str() {
            "alias" | "hidden_alias" => {
                input.parse::<Token![=]>()?;
                let name = parse_name(input)?;
                let value = name.value();
                if value == self.name.value()
                    || self.aliases.iter().any(|alias| alias.name.value() == value)
                {
                    return Err(syn::Error::new(
                        name.span(),
                        "the command has this name already",
                    ));
                }
                self.aliases.push(Alias {
                    name,
                    hidden: key == "hidden_alias",
                });
            }
            "category" => {
                once(self.category.is_some())?;
                input.parse::<Token![=]>()?;
                self.category = Some(input.parse()?);
            }
            "usage" => {
                once(self.usage.is_some())?;
                input.parse::<Token![=]>()?;
                self.usage = Some(input.parse()?);
            }
            "hidden" => {
                once(self.hidden)?;
                self.hidden = true;
            }
            _ => return Err(unknown(&key.to_string(), key.span())),
        }
        Ok(())
    }
}

fn parse_name(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let name = input.parse()?;
    name::check(&name)?;
    Ok(name)
}

fn unknown(key: &str, span: Span) -> syn::Error {
    let known = "`alias = \"...\"`, `hidden_alias = \"...\"`, `category = \"...\"`, `usage = \"...\"` and `hidden`";
    syn::Error::new(
        span,
        format!("`{key}` is nothing that #[command] knows; it knows {known}"),
    )
}
