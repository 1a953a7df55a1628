//! Checks the signature of the function under `#[command]`.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Error, FnArg, ReturnType, Safety, Type};

/// A signature that a command may have.
pub(crate) struct Signature<'s> {
    /// Where the type of the first parameter is written.
    pub(crate) context: Span,
    /// The types of the other parameters, each of which is taken from the context.
    pub(crate) parameters: Vec<&'s Type>,
    /// Where the return type is written; the function's name where it has none.
    pub(crate) output: Span,
}

const FORM: &str = "a command is `fn(cx: &mut Context, ...) -> anyhow::Result<ExitStatus>`, \
                    and behind `cx` stands what it needs: the words as a `T` that derives `clap::Args`, `State<T>`, \
                    `Globals<T>`";

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
                FnArg::Receiver(receiver) => {
                    return Err(wrong(receiver, "a command is not a method"));
                }
                FnArg::Typed(typed) => types.push(&*typed.ty),
            }
        }
        let mut types = types.into_iter();
        let Some(context) = types.next() else {
            return Err(wrong(
                &signature.ident,
                "this function does not take the context",
            ));
        };
        let context = check_context(context)?;
        let parameters: Vec<&Type> = types.collect();
        if let Some(parameter) = parameters
            .iter()
            .find(|parameter| matches!(parameter, Type::ImplTrait(_)))
        {
            return Err(wrong(
                parameter,
                "a parameter of a command names its type, which says what it is taken from",
            ));
        }
        let output = match &signature.output {
            ReturnType::Default => signature.ident.span(),
            ReturnType::Type(_, output) => output.span(),
        };
        Ok(Signature {
            context,
            parameters,
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
