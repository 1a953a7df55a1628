//! The `#[command]` attribute of byname.
//!
//! It leaves the function as it is and adds one registration, which a person could write by hand.

mod doc;
mod name;
mod options;
mod signature;

use proc_macro::TokenStream;
use proc_macro2::Span;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Item, ItemFn};

use crate::doc::Doc;
use crate::options::Options;
use crate::signature::Signature;

/// Makes a function a command and registers it.
///
/// ```text
/// /// Create a group                                   <- the summary: the first paragraph
/// ///
/// /// A group has a name and nothing else.             <- what `help groups create` says below it
/// #[command("groups create", alias = "group create", category = "Groups")]
/// fn create(cx: &mut Context, args: Create) -> anyhow::Result<ExitStatus> { ... }
/// ```
///
/// The function takes `&mut Context`, and behind it what it needs, each parameter of a type that is `byname::FromContext`:
///
/// - directly behind the context, the words: a struct that derives `clap::Args` or `clap::Parser`, or `RawWords` for the
///   words as they were typed, `--help` among them. A function with neither takes no words,
/// - `State<T>` and `MaybeState<T>`: what the host provides, by its type,
/// - `Globals<T>`: the host's global options,
/// - types of other crates, such as words in another syntax.
///
/// It returns `anyhow::Result<ExitStatus>` or `anyhow::Result<()>` (or one of the two without a `Result`), and can still be
/// called.
///
/// Behind the name may stand, in any order:
///
/// - `alias = "..."`: one more name, as often as there are; `hidden_alias = "..."`: one that help does not show,
/// - `category = "..."`: the heading that help lists it under,
/// - `usage = "..."`: what stands behind the names on the usage line, where the parser's own line would not do,
/// - `hidden`: help does not list it.
#[proc_macro_attribute]
pub fn command(options: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse::<Item>(item.clone()) {
        Ok(Item::Fn(function)) => function,
        Ok(other) => {
            let error = syn::Error::new(other.span(), "#[command] stands above a function");
            return with_error(item, &error);
        }
        Err(error) => return with_error(item, &error),
    };
    match syn::parse::<Options>(options).and_then(|options| register(&options, &function)) {
        Ok(registration) => {
            let mut tokens = item;
            tokens.extend(TokenStream::from(registration));
            tokens
        }
        Err(error) => with_error(item, &error),
    }
}

/// Leaves the item where it is, so that the author does not also read that it is missing or its imports are unused.
fn with_error(mut item: TokenStream, error: &syn::Error) -> TokenStream {
    item.extend(TokenStream::from(error.to_compile_error()));
    item
}

fn register(options: &Options, function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    if let Some(second) = function
        .attrs
        .iter()
        .find(|attribute| is_command(attribute))
    {
        let message = "a function is one command: give it more names with `alias = \"...\"`";
        return Err(syn::Error::new(second.span(), message));
    }
    let signature = Signature::check(&function.sig)?;
    let doc = Doc::read(&function.attrs, &function.sig.ident)?;
    // What is compiled out must not be registered.
    let conditions: Vec<&Attribute> = function
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect();
    let conditions = conditions.as_slice();
    let Options {
        name,
        aliases,
        category,
        usage,
        hidden,
    } = options;
    let Doc { summary, long_help } = doc;
    let ident = &function.sig.ident;

    let long_help = long_help.map(|text| quote! { .long_help(#text) });
    let category = category.as_ref().map(|text| quote! { .category(#text) });
    let usage = usage.as_ref().map(|text| quote! { .usage(#text) });
    let hidden = hidden.then(|| quote! { .hidden() });
    let aliases = (!aliases.is_empty()).then(|| {
        let aliases = aliases.iter().map(|alias| {
            let kind = format_ident!("{}", if alias.hidden { "hidden" } else { "visible" });
            let name = &alias.name;
            quote! { ::byname::Alias::#kind(#name) }
        });
        quote! { .aliases(&[#(#aliases),*]) }
    });
    // Where a type is wrong, the compiler's message points at the author's own.
    let cx = Ident::new("cx", signature.context.resolved_at(Span::call_site()));
    let names: Vec<Ident> = (0..signature.parameters.len())
        .map(|number| Ident::new(&format!("parameter_{number}"), Span::mixed_site()))
        .collect();
    let taken = names.iter().zip(&signature.parameters).map(|(name, ty)| {
        quote_spanned! { ty.span() => let #name = <#ty as ::byname::FromContext>::from_context(#cx)?; }
    });
    let parameters: Vec<_> = signature
        .parameters
        .iter()
        .map(|ty| quote_spanned! { ty.span() => ::byname::Parameter::of::<#ty>() })
        .collect();
    let order = parameters.first().into_iter().flat_map(|first| {
        let others = signature.parameters.iter().zip(&parameters).skip(1);
        others.map(move |(ty, other)| {
            quote_spanned! { ty.span() => #(#conditions)* const _: () = #other.is_behind(#first); }
        })
    });
    let call = quote_spanned! { signature.output => #ident(#cx #(, #names)*) };
    let call = quote_spanned! { signature.output => ::byname::IntoOutcome::into_outcome(#call) };
    let parameters = (!parameters.is_empty()).then(|| quote! { .parameters(&[#(#parameters),*]) });
    Ok(quote! {
        #(#conditions)*
        ::byname::register! {
            ::byname::Command::new(#name, #summary, |#cx| { #(#taken)* #call }, ::byname::origin!())
                #long_help #category #usage #aliases #hidden #parameters
        }
        #(#order)*
    })
}

/// Whether this is `#[command]` again, in whichever way it is named.
fn is_command(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "command")
}
