//! The function under `#[command]`: what it takes and returns.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{FnArg, ReturnType, Safety, Type};

/// A signature that a command may have.
pub(crate) struct Signature<'s> {
    /// The type of the second parameter, which clap parses.
    pub(crate) arguments: Option<&'s Type>,
    /// Where the return type is written.
    pub(crate) output: Span,
}

const FORM: &str = "a command is `fn(cx: &mut Context) -> anyhow::Result<ExitStatus>`, \
                    or `fn(cx: &mut Context, args: T)` with a `T` that derives `clap::Args`";

impl<'s> Signature<'s> {
    /// Refuses what can be seen to be wrong; types are the compiler's business.
    pub(crate) fn check(signature: &'s syn::Signature) -> syn::Result<Signature<'s>> {
        let wrong = |span: Span, what: &str| Err(syn::Error::new(span, format!("{what}; {FORM}")));
        if let Some(token) = &signature.asyncness {
            return wrong(
                token.span(),
                "a command's function is not async: block inside of it",
            );
        }
        if let Safety::Unsafe(token) = &signature.safety {
            return wrong(token.span(), "a command's function is not unsafe");
        }
        if let Some(parameter) = signature.generics.params.first() {
            return wrong(
                parameter.span(),
                "a command's function has no generic parameters",
            );
        }
        let mut types = Vec::new();
        for input in &signature.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    return wrong(receiver.span(), "a command is not a method");
                }
                FnArg::Typed(typed) => types.push(&*typed.ty),
            }
        }
        let arguments = match types[..] {
            [context] => {
                check_context(context, &wrong)?;
                None
            }
            [context, arguments] => {
                check_context(context, &wrong)?;
                Some(arguments)
            }
            [] => {
                return wrong(
                    signature.ident.span(),
                    "this function does not take the context",
                );
            }
            [_, _, third, ..] => return wrong(third.span(), "this function takes too much"),
        };
        if let Some(arguments) = arguments
            && cfg!(not(feature = "clap"))
        {
            let message = "typed arguments need byname's feature `clap`; without it, take `cx: &mut Context` alone and \
                           read `cx.args()`";
            return Err(syn::Error::new(arguments.span(), message));
        }
        let output = match &signature.output {
            ReturnType::Default => {
                return wrong(signature.ident.span(), "this function returns nothing");
            }
            ReturnType::Type(_, output) => output.span(),
        };
        Ok(Signature { arguments, output })
    }
}

/// The first parameter is a mutable reference, to whatever name the author has given the context.
fn check_context(
    context: &Type,
    wrong: &dyn Fn(Span, &str) -> syn::Result<Signature<'static>>,
) -> syn::Result<()> {
    match context {
        Type::Reference(reference) if reference.mutability.is_some() => Ok(()),
        _ => wrong(context.span(), "the first parameter is not `&mut Context`").map(|_| ()),
    }
}
