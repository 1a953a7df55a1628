//! Decides how a session ends from the order of its events.

use std::fmt;

use byname::ExitStatus;

use crate::event::{Event, Status};
use crate::{Error, FORCED_EXIT};

/// How a session ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum End {
    /// The container exited and its output is complete; or waiting for it failed.
    Exited(Status),
    /// The detach keys were typed; the container runs on.
    Detached,
    /// The user asked for the third time to leave: see [`FORCED_EXIT`](crate::FORCED_EXIT).
    Forced,
}

impl End {
    /// The status that the session means for whoever asked for it: the container's own, and success where the user left
    /// it to run on.
    ///
    /// # Errors
    ///
    /// There is no status to tell.
    pub fn exit_status(self) -> Result<ExitStatus, NoStatus> {
        match self {
            End::Exited(Ok(response)) => match response.error.and_then(|error| error.message) {
                Some(message) if !message.is_empty() => Err(NoStatus::Lost(message)),
                _ => Ok(ExitStatus::from_code(response.status_code)),
            },
            End::Exited(Err(error)) => Err(NoStatus::Lost(error.to_string())),
            End::Detached => Ok(ExitStatus::Success),
            End::Forced => Err(NoStatus::Forced),
        }
    }
}

/// Why a session has no status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoStatus {
    /// The engine could not tell it, for this reason.
    Lost(String),
    /// The user did not wait for it.
    Forced,
}

impl fmt::Display for NoStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoStatus::Lost(reason) => write!(f, "error waiting for container: {reason}"),
            NoStatus::Forced => f.write_str(FORCED_EXIT),
        }
    }
}

impl std::error::Error for NoStatus {}

/// How the output of a process ended: see [`Session::output`](crate::Session::output).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputEnd {
    /// The process has ended, or has closed its output.
    Ended,
    /// The detach keys were typed; the process runs on.
    Detached,
    /// The user asked to leave, as often as it takes.
    Forced,
}

/// Where a session is between its first event and its end.
#[derive(Debug, Default)]
pub(crate) struct Conclusion {
    output_ended: bool,
    status: Option<Status>,
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Wait for more, as long as it takes.
    Wait(Conclusion),
    /// The container has exited: wait for what is left of its output.
    Drain(Conclusion),
    /// It is over.
    End(Result<End, Error>),
}

impl Conclusion {
    /// Takes note of `event`.
    pub(crate) fn event(mut self, event: Event) -> Next {
        match event {
            Event::ForcedExit => return Next::End(Ok(End::Forced)),
            Event::Detached => return Next::End(Ok(End::Detached)),
            Event::Exited(status) => self.status = Some(status),
            Event::Output(Ok(())) => self.output_ended = true,
            // Output that we could not write or make sense of is lost, whatever the container says about itself.
            Event::Output(Err(error)) => {
                if self.status.is_none() || !error.is_lost_connection() {
                    return Next::End(Err(error));
                }
                // An engine may reset the connection of a container that is gone instead of closing it.
                log::debug!("attached stream after the container's exit: {error}");
                self.output_ended = true;
            }
        }
        match (self.status, self.output_ended) {
            (Some(status), true) => Next::End(Ok(End::Exited(status))),
            (status @ Some(_), output_ended) => Next::Drain(Conclusion {
                output_ended,
                status,
            }),
            (status @ None, output_ended) => Next::Wait(Conclusion {
                output_ended,
                status,
            }),
        }
    }

    /// Does without the rest of the output, if that is all that is missing.
    pub(crate) fn give_up_output(self) -> Next {
        match self.status {
            Some(status) => Next::End(Ok(End::Exited(status))),
            None => Next::Wait(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use engine_client::models::ContainerWaitResponse;

    use super::*;

    fn exited(status_code: i64) -> Event {
        Event::Exited(Ok(ContainerWaitResponse {
            status_code,
            error: None,
        }))
    }

    fn broken() -> Event {
        Event::Output(Err(Error::Connection(
            io::ErrorKind::ConnectionReset.into(),
        )))
    }

    fn unwritable() -> Event {
        Event::Output(Err(Error::Output(io::ErrorKind::StorageFull.into())))
    }

    /// The steps that a session takes, as letters: waits, drains, and its end.
    fn steps(events: impl IntoIterator<Item = Event>) -> String {
        let mut steps = String::new();
        let mut conclusion = Conclusion::default();
        for event in events {
            conclusion = match conclusion.event(event) {
                Next::Wait(next) => {
                    steps.push('w');
                    next
                }
                Next::Drain(next) => {
                    steps.push('d');
                    next
                }
                Next::End(end) => {
                    steps.push_str(&match end {
                        Ok(End::Exited(Ok(response))) => format!("={}", response.status_code),
                        Ok(End::Exited(Err(_))) => "=!".to_owned(),
                        Ok(End::Detached) => "=detached".to_owned(),
                        Ok(End::Forced) => "=forced".to_owned(),
                        Err(Error::Output(_)) => "=output".to_owned(),
                        Err(_) => "=stream".to_owned(),
                    });
                    return steps;
                }
            };
        }
        steps
    }

    #[test]
    fn output_then_status() {
        assert_eq!(steps([Event::Output(Ok(())), exited(3)]), "w=3");
    }

    #[test]
    fn a_write_that_failed_is_an_error_even_after_the_status() {
        assert_eq!(steps([exited(0), unwritable()]), "d=output");
        assert_eq!(steps([exited(0), broken()]), "d=0");
    }

    #[test]
    fn status_then_output() {
        assert_eq!(steps([exited(3), Event::Output(Ok(()))]), "d=3");
    }

    #[test]
    fn a_broken_stream_matters_while_the_container_runs() {
        assert_eq!(steps([broken()]), "=stream");
        assert_eq!(steps([exited(3), broken()]), "d=3");
    }

    #[test]
    fn lost_output_is_an_error_whenever_it_is_lost() {
        assert_eq!(steps([unwritable()]), "=output");
        assert_eq!(steps([exited(0), unwritable()]), "d=output");
    }

    #[test]
    fn leaving_needs_nothing_else() {
        assert_eq!(steps([Event::Detached]), "=detached");
        assert_eq!(steps([Event::ForcedExit]), "=forced");
        assert_eq!(steps([exited(0), Event::ForcedExit]), "d=forced");
        assert_eq!(
            steps([Event::Output(Ok(())), Event::ForcedExit]),
            "w=forced"
        );
    }

    #[test]
    fn only_a_container_that_exited_is_left_without_its_output() {
        let Next::Drain(exited) = Conclusion::default().event(exited(4)) else {
            panic!("output is missing");
        };
        assert!(matches!(
            exited.give_up_output(),
            Next::End(Ok(End::Exited(Ok(response)))) if response.status_code == 4
        ));
        assert!(matches!(
            Conclusion::default().give_up_output(),
            Next::Wait(_)
        ));
    }
}
