//! What is told while images come and go: the JSON lines of the Engine API.

use serde::Serialize;

/// One message. Its fields are those of Docker's stream, which clients know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Text to be printed as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How far it is. It is there and empty in messages that clients have a line for.
    #[serde(rename = "progressDetail", skip_serializing_if = "Option::is_none")]
    pub progress_detail: Option<Progress>,
    /// What the message is about: a layer, or the tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// How far something is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
    /// What there is to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl Message {
    /// A sentence about all of it.
    pub(super) fn status(status: impl Into<String>) -> Message {
        Message {
            status: Some(status.into()),
            ..Message::default()
        }
    }

    /// A text that is printed as it is.
    pub(super) fn stream(text: impl Into<String>) -> Message {
        Message {
            stream: Some(text.into()),
            ..Message::default()
        }
    }

    /// What happens to one part.
    pub(super) fn of(id: &str, status: impl Into<String>) -> Message {
        Message {
            status: Some(status.into()),
            id: Some(id.to_owned()),
            ..Message::default()
        }
    }

    /// The same, on a line of its own.
    pub(super) fn line(id: &str, status: impl Into<String>) -> Message {
        Message {
            progress_detail: Some(Progress::default()),
            ..Message::of(id, status)
        }
    }

    /// How far one part is.
    pub(super) fn progress(
        id: &str,
        status: impl Into<String>,
        current: u64,
        total: u64,
    ) -> Message {
        Message {
            progress_detail: Some(Progress {
                current: Some(current),
                total: Some(total),
            }),
            ..Message::of(id, status)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_clients_read_them() {
        for (message, expected) in [
            (Message::status("done"), r#"{"status":"done"}"#),
            (Message::stream("a\n"), r#"{"stream":"a\n"}"#),
            (
                Message::of("latest", "Pulling"),
                r#"{"status":"Pulling","id":"latest"}"#,
            ),
            (
                Message::line("abc", "Waiting"),
                r#"{"status":"Waiting","progressDetail":{},"id":"abc"}"#,
            ),
            (
                Message::progress("abc", "Downloading", 1, 2),
                r#"{"status":"Downloading","progressDetail":{"current":1,"total":2},"id":"abc"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&message).expect("JSON"), expected);
        }
    }
}
