//! Checks the signature of the function under `#[command]`.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Error, FnArg, ReturnType, Safety, Type};

/// A signature that a command may have.
pub(crate) struct Signature<'s> {
    /// Where the type of the first parameter is written.
    pub(crate) context: Span,
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
        if let Some(token) = &signature.asyncness {
            return Err(wrong(
                token,
                "a command's function is not async: block inside of it",
            ));
        }
        if let Safety::Unsafe(token) = &signature.safety {
            return Err(wrong(token, "a command's function is not unsafe"));
        }
        if let Some(parameter) = signature.generics.params.first() {
            return Err(wrong(
                parameter,
                "a command's function has no generic parameters",
            ));
        }
        let mut types = Vec::new();
        for input in &signature.inputs {
            match input {
                FnArg::Receiver(receiver) => return Err(wrong(receiver, "a command is no method")),
                FnArg::Typed(typed) => types.push(&*typed.ty),
            }
        }
        let ident = &signature.ident;
        let (context, arguments) = match types[..] {
            [context] => (check_context(context)?, None),
            [context, arguments] => (check_context(context)?, Some(arguments)),
            [] => return Err(wrong(ident, "this function does not take the context")),
            [_, _, third, ..] => return Err(wrong(third, "this function takes too much")),
        };
        if let Some(arguments) = arguments
            && cfg!(not(feature = "clap"))
        {
            let message = "typed arguments need byname's feature `clap`; \
                           without it, take `cx: &mut Context` alone and read `cx.args()`";
            return Err(Error::new(arguments.span(), message));
        }
        let output = match &signature.output {
            ReturnType::Default => return Err(wrong(ident, "this function returns nothing")),
            ReturnType::Type(_, output) => output.span(),
        };
        Ok(Signature {
            context,
            arguments,
            output,
        })
    }
}

/// The first parameter is a mutable reference, to whatever name the author has given the context.
fn check_context(context: &Type) -> syn::Result<Span> {
    match context {
        Type::Reference(reference) if reference.mutability.is_some() => Ok(reference.elem.span()),
        _ => Err(wrong(context, "the first parameter is not `&mut Context`")),
    }
}

fn wrong(at: &impl Spanned, what: &str) -> Error {
    Error::new(at.span(), format!("{what}; {FORM}"))
}
