//! `POST /images/create`: pull an image.

use std::fmt;

use serde::Deserialize;

use crate::cancel::Canceller;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::json_lines::JsonLines;
use crate::request::Request;
use crate::transport::{Body, Http};

/// `{}` in base64url: nothing is known of the registry.
const NO_AUTH: &str = "e30=";

/// The image that [`Client::create_image`] pulls.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CreateImage {
    /// The repository, such as `docker.io/library/busybox`.
    pub from_image: String,
    /// A tag or a digest. Without one the engine pulls all tags, so say `latest` if that is meant.
    pub tag: Option<String>,
    /// The platform to choose, as `OS[/ARCH[/VARIANT]]`; the engine's own by default.
    pub platform: Option<String>,
    /// The value of `X-Registry-Auth`: the registry's credentials as JSON, in base64url. None by default.
    pub registry_auth: Option<String>,
}

/// The progress of a pull or a load: an iterator that blocks until the engine says more, and ends when it has
/// succeeded.
///
/// An error is the last item, whether the engine reports it ([`Stream`](ErrorKind::Stream)) or the connection is lost
/// ([`Closed`](ErrorKind::Closed)).
pub struct ImageProgress {
    lines: JsonLines<Body>,
    canceller: Canceller,
    ended: bool,
}

/// One message about the progress of a pull. Which of its fields are there depends on what it is about.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ImageProgressLine {
    /// What the message is about: a layer, or the tag.
    pub id: Option<String>,
    /// What happens, such as `Downloading`.
    pub status: Option<String>,
    /// How far it is.
    #[serde(rename = "progressDetail")]
    pub progress_detail: Option<ProgressDetail>,
    /// Text to be printed as it is.
    pub stream: Option<String>,
    /// Something for programs, which is not shown.
    pub aux: Option<serde_json::Value>,
}

/// How far one layer of a pull is.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ProgressDetail {
    /// How much is done, in bytes or in [`units`](ProgressDetail::units).
    pub current: Option<i64>,
    /// How much there is to do.
    pub total: Option<i64>,
    /// When it began, in seconds since 1970.
    pub start: Option<i64>,
    /// Whether the numbers are not to be shown.
    #[serde(rename = "hidecounts")]
    pub hide_counts: Option<bool>,
    /// What is counted, if not bytes.
    pub units: Option<String>,
}

/// A message as it is sent, which may be an error.
#[derive(Deserialize)]
struct Message {
    #[serde(flatten)]
    line: ImageProgressLine,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
    /// The error as old clients read it.
    error: Option<String>,
}

#[derive(Deserialize)]
struct ErrorDetail {
    message: Option<String>,
}

impl Client {
    /// Pulls an image. This returns when the engine has begun; the pull goes on while the progress is read, and is
    /// broken off when it is dropped. It has a connection of its own.
    ///
    /// Engine API `POST /images/create?fromImage=&tag=&platform=`, with `X-Registry-Auth`.
    pub fn create_image(&self, image: &CreateImage) -> Result<ImageProgress, Error> {
        let mut request =
            Request::new("POST", "/images/create").query("fromImage", &image.from_image);
        if let Some(tag) = &image.tag {
            request = request.query("tag", tag);
        }
        if let Some(platform) = &image.platform {
            request = request.query("platform", platform);
        }
        let auth = image.registry_auth.as_deref().unwrap_or(NO_AUTH);
        let request = request.header("X-Registry-Auth", auth);
        let http = self.separate();
        let response = self.send_on(&http, &request)?;
        Ok(ImageProgress::new(response.body, request.label(), http))
    }
}

impl ImageProgress {
    /// The progress that an answer's body tells, whose request had this pool for itself.
    pub(crate) fn new(body: Body, label: String, http: Http) -> ImageProgress {
        ImageProgress {
            lines: JsonLines::new(body, label),
            canceller: Canceller::new(http),
            ended: false,
        }
    }

    /// A handle that ends the pull from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    fn read(&mut self) -> Result<Option<ImageProgressLine>, Error> {
        let message: Option<Message> = self.lines.next_object()?;
        match message {
            Some(Message {
                error_detail: None,
                error: None,
                line,
            }) => Ok(Some(line)),
            Some(Message {
                error_detail,
                error,
                ..
            }) => {
                let message = error_detail
                    .and_then(|detail| detail.message)
                    .or(error)
                    .unwrap_or_default();
                let message = message.trim();
                let message = if message.is_empty() {
                    "the pull failed without a reason"
                } else {
                    message
                };
                Err(Error::stream(message))
            }
            // A connection that was shut down here may look like one that ended well.
            None if self.canceller.is_cancelled() => {
                Err(Error::closed(self.lines.label(), "cancelled"))
            }
            None => Ok(None),
        }
    }
}

impl Iterator for ImageProgress {
    type Item = Result<ImageProgressLine, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = match self.read() {
            Ok(line) => line.map(Ok),
            Err(error) if error.kind() == ErrorKind::Closed => {
                Some(Err(self.canceller.explain(error, self.lines.label())))
            }
            Err(error) => Some(Err(error)),
        };
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}

impl fmt::Debug for ImageProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageProgress")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CreateImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateImage")
            .field("from_image", &self.from_image)
            .field("tag", &self.tag)
            .field("platform", &self.platform)
            // Credentials are not for logs.
            .field("registry_auth", &self.registry_auth.as_ref().map(|_| "..."))
            .finish()
    }
}
