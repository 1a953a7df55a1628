//! The platform of an image to pull or run.

use byname::Environment;
use image_reference::normalize_platform;

use crate::InvalidValue;

/// Where the platform comes from if no option says it.
const VARIABLE: &str = "DOCKER_DEFAULT_PLATFORM";

/// The platform of the option `--platform`, else of `DOCKER_DEFAULT_PLATFORM`, in its normal form; an empty one is none.
///
/// # Errors
/// It is no platform, or the variable is not UTF-8.
pub fn chosen(
    option: Option<&str>,
    environment: &Environment,
) -> Result<Option<String>, InvalidValue> {
    let text = match (option, environment.get(VARIABLE)) {
        (Some(text), _) => text.to_owned(),
        (None, Some(text)) => text
            .into_string()
            .map_err(|_| InvalidValue::new(format!("{VARIABLE} is not valid UTF-8")))?,
        (None, None) => return Ok(None),
    };
    if text.is_empty() {
        return Ok(None);
    }
    normalize_platform(&text)
        .map(Some)
        .map_err(|error| InvalidValue::new(error.to_string()))
}
