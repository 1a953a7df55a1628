//! The pull request sent to the engine.

use engine_client::{CreateImage, CredentialStore, Error};
use image_reference::Reference;

/// The request for an image, with the user's credentials for its registry if there is a store of them. A credential
/// helper may run for that.
///
/// # Errors
/// Those of the store: a helper that fails, or that a signal ended.
pub fn request(
    reference: &Reference,
    platform: Option<String>,
    credentials: Option<&CredentialStore>,
) -> Result<CreateImage, Error> {
    let registry_auth = credentials
        .map(|store| store.get(reference.registry()))
        .transpose()?
        .map(|credentials| credentials.registry_auth());
    Ok(CreateImage {
        from_image: reference.repository(),
        tag: Some(reference.version().to_owned()),
        platform,
        registry_auth,
    })
}
