//! Reads `null` as the default where the API declares a list, a map or a number.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default. For `#[serde(deserialize_with)]`.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
