//! `POST /containers/{id}/wait`: wait for a container's exit status.

use std::fmt;

use crate::cancel::Canceller;
use crate::client::Client;
use crate::error::Error;
use crate::json_lines::JsonLines;
use crate::models::ContainerWaitResponse;
use crate::request::{Request, container_path};
use crate::transport::{Body, Http};

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
    /// What is waited for once the status is there.
    then: Option<Removal>,
}

/// The removal of a container that has exited.
struct Removal {
    client: Client,
    http: Http,
    request: Request,
}

impl Client {
    /// Waits for a container, in two steps: this returns as soon as the engine has taken note, so that a start that
    /// follows can not be missed; [`Waiting::status`] blocks. It has a connection of its own.
    ///
    /// Podman's status of a container that was waited for until its removal is 0, whatever it was. There, its exit is
    /// waited for at first, and then its removal.
    ///
    /// Engine API `POST /containers/{id}/wait?condition=`.
    pub fn wait_container(&self, id: &str, condition: WaitCondition) -> Result<Waiting, Error> {
        let path = container_path(id)? + "/wait";
        let until = |condition: WaitCondition| {
            Request::new("POST", path.clone()).query("condition", condition.as_str())
        };
        let http = self.separate();
        let (first, then) = if condition == WaitCondition::Removed && self.is_podman()? {
            let removal = Removal {
                client: self.clone(),
                http: http.clone(),
                request: until(WaitCondition::Removed),
            };
            (until(WaitCondition::NextExit), Some(removal))
        } else {
            (until(condition), None)
        };
        let response = self.send_on(&http, &first)?;
        Ok(Waiting {
            answers: JsonLines::new(response.body, first.label()),
            canceller: Canceller::new(http),
            then,
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
        let status = answer
            .and_then(|answer| {
                answer.ok_or_else(|| {
                    Error::closed(
                        label,
                        "the connection was closed before the container's status came",
                    )
                })
            })
            .map_err(|error| self.canceller.explain(error, label))?;
        if let Some(removal) = self.then {
            removal.wait();
        }
        Ok(status)
    }

    /// A handle that ends the wait from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }
}

impl Removal {
    /// Blocks until the container is gone, which it may be already. Its status is known by now, so no failure matters.
    fn wait(self) {
        let gone = self
            .client
            .send_on(&self.http, &self.request)
            .and_then(|answer| JsonLines::new(answer.body, self.request.label()).next_object());
        let gone: Result<Option<ContainerWaitResponse>, Error> = gone;
        if let Err(error) = gone {
            log::debug!("{}: {error}", self.request.label());
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("request", &self.answers.label())
            .finish_non_exhaustive()
    }
}
