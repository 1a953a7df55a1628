//! `POST /containers/{id}/wait`: the exit status of a container.

use std::fmt;

use crate::cancel::Canceller;
use crate::client::Client;
use crate::error::Error;
use crate::json_lines::JsonLines;
use crate::models::ContainerWaitResponse;
use crate::request::{Request, container_path};
use crate::transport::Body;

/// What [`Client::wait_container`] waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitCondition {
    /// That the container does not run, which may be so already.
    #[default]
    NotRunning,
    /// The next time that it exits: the one for a container that is not started yet.
    NextExit,
    /// That it is removed, as the engine does after its exit if it was created so.
    Removed,
}

impl WaitCondition {
    fn as_str(self) -> &'static str {
        match self {
            WaitCondition::NotRunning => "not-running",
            WaitCondition::NextExit => "next-exit",
            WaitCondition::Removed => "removed",
        }
    }
}

/// A wait that the engine has taken note of.
pub struct Waiting {
    answers: JsonLines<Body>,
    canceller: Canceller,
}

impl Client {
    /// Waits for a container, in two steps: this returns as soon as the engine has taken note, so that a start that
    /// follows can not be missed; [`Waiting::status`] blocks. It has a connection of its own.
    ///
    /// Engine API `POST /containers/{id}/wait?condition=`.
    pub fn wait_container(&self, id: &str, condition: WaitCondition) -> Result<Waiting, Error> {
        let request = Request::new("POST", container_path(id)? + "/wait")
            .query("condition", condition.as_str());
        let http = self.separate();
        let response = self.send_on(&http, &request)?;
        Ok(Waiting {
            answers: JsonLines::new(response.body, request.label()),
            canceller: Canceller::new(http),
        })
    }
}

impl Waiting {
    /// Blocks until the condition holds, for as long as it takes.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) if the connection is lost before that, and
    /// [`Cancelled`](crate::ErrorKind::Cancelled). An error of the engine while it waits is in the response.
    pub fn status(mut self) -> Result<ContainerWaitResponse, Error> {
        let answer = self.answers.next_object();
        let label = self.answers.label();
        answer
            .and_then(|answer| {
                answer.ok_or_else(|| {
                    Error::closed(
                        label,
                        "the connection was closed before the container's status came",
                    )
                })
            })
            .map_err(|error| self.canceller.explain(error, label))
    }

    /// A handle that ends the wait from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("request", &self.answers.label())
            .finish_non_exhaustive()
    }
}
