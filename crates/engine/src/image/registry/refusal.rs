//! What registries say instead of an answer, in the words of Docker's engine.

use serde::Deserialize;

use super::http::Answer;
use crate::{Error, ErrorKind};

/// No list of errors is as long.
const LONGEST: u64 = 64 << 10;

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Default, Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What a registry says instead of an answer.
pub(super) struct Refused {
    status: u16,
    address: String,
    reason: Option<Reason>,
}

impl Refused {
    /// Reads it.
    pub(super) fn read(answer: Answer) -> Refused {
        let (status, address) = (answer.status, answer.address().to_owned());
        let content = answer.content(LONGEST).unwrap_or_default();
        let reason = serde_json::from_slice::<Refusal>(&content)
            .ok()
            .and_then(|refusal| refusal.errors.into_iter().next())
            .filter(|reason| !reason.code.is_empty());
        Refused {
            status,
            address,
            reason,
        }
    }

    /// The word that the specification has for it; empty if the registry has none.
    pub(super) fn code(&self) -> &str {
        self.reason.as_ref().map_or("", |reason| &reason.code)
    }

    /// The error of it. `unauthorized` is the text of a 401 that says nothing itself.
    pub(super) fn into_error(self, unauthorized: &str) -> Error {
        let kind = match self.status {
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            _ => ErrorKind::System,
        };
        let text = match self.reason {
            Some(Reason { code, message }) => {
                let code = code.to_lowercase().replace('_', " ");
                // It goes to a terminal, whose cursor is not a registry's to move.
                let text = format!(
                    "{code}: {}",
                    if message.is_empty() { &code } else { &message }
                );
                text.replace(|c: char| c.is_control(), " ")
            }
            None if self.status == 401 => unauthorized.to_owned(),
            None => format!(
                "Get \"{}\": received unexpected HTTP status: {}",
                self.address, self.status
            ),
        };
        Error::new(kind, text)
    }
}
