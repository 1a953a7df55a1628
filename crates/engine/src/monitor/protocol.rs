//! What a container's monitor is asked, and what it answers.
//!
//! One connection is one operation: lines of JSON, a [`Request`] first. Attaching takes two requests, so that a server can
//! say "101 UPGRADED" to its client in between: [`Attach`](Request::Attach) or [`ExecStart`](Request::ExecStart), which
//! the monitor answers with [`Ready`](Reply::Ready), keeping what the container writes from then on; and
//! [`Stream`](Request::Stream), which brings the client's connection itself along as a descriptor (`SCM_RIGHTS`, with the
//! line's first byte). The monitor writes to that connection without the server's help.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorMessage};

/// The longest line, in bytes: early input of a client is the one thing in it that can be long.
pub(crate) const LONGEST_LINE: usize = 1 << 20;

/// What a monitor is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Start the container: [`Reply::Done`] when its program runs. A running one is
    /// [`ErrorKind::NotModified`](crate::ErrorKind::NotModified).
    Start,
    /// Attach a client: [`Reply::Ready`], then [`Stream`](Request::Stream) is expected.
    Attach(Attach),
    /// The client's connection, which comes with this line: [`Reply::Done`] when the session ends. Closing the connection
    /// to the monitor does not end it.
    Stream {
        /// What the client sent already, in base64.
        early: String,
    },
    /// Wait for the container: [`Reply::Waiting`] at once, then [`Reply::Exited`].
    Wait {
        /// For what.
        condition: Condition,
    },
    /// Send a signal to the first process: [`Reply::Done`]. [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the container does not run.
    Kill {
        /// Its number.
        signal: i32,
    },
    /// Send the stop signal, then SIGKILL: [`Reply::Done`] when the container has ended. One that does not run is
    /// [`ErrorKind::NotModified`](crate::ErrorKind::NotModified).
    Stop {
        /// Another signal than the container's.
        signal: Option<i32>,
        /// Another number of seconds than the container's; negative to wait without end.
        timeout: Option<i64>,
    },
    /// Stop it if it runs, and start it.
    Restart {
        /// As in [`Stop`](Request::Stop).
        signal: Option<i32>,
        /// As in [`Stop`](Request::Stop).
        timeout: Option<i64>,
    },
    /// Freeze all processes.
    Pause,
    /// Let them go on.
    Unpause,
    /// Say that it is there: [`Reply::Done`].
    Ping,
    /// Set the size of the container's terminal.
    Resize(Size),
    /// Start a joining process that the store has: with clients, [`Reply::Ready`] before it starts, then
    /// [`Stream`](Request::Stream) is expected; without, [`Reply::Done`] when its program runs.
    ExecStart {
        /// Its full id.
        id: String,
        /// Whether nobody attaches to it.
        detach: bool,
        /// Whether the client's connection is that of a terminal, without frames.
        tty: bool,
        /// How large its terminal is at first.
        size: Option<Size>,
    },
    /// Set the size of a joining process's terminal.
    ExecResize {
        /// Its full id.
        id: String,
        /// The size.
        size: Size,
    },
    /// Remove the container and release whoever waits for that: [`Reply::Done`]. A running one is
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) unless that is forced.
    Remove {
        /// Kill it if it runs.
        force: bool,
        /// Remove its anonymous volumes.
        volumes: bool,
    },
}

/// How a client attaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attach {
    /// Its input goes to the container.
    pub stdin: bool,
    /// It gets standard output.
    pub stdout: bool,
    /// It gets standard error.
    pub stderr: bool,
    /// It gets what was written before.
    pub logs: bool,
    /// It gets what is written from now on.
    pub stream: bool,
    /// The keys that end the session, as `ctrl-p,ctrl-q`; those by default if empty.
    pub detach_keys: String,
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Lines.
    pub height: u16,
    /// Columns.
    pub width: u16,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// That it does not run: at once if it does not, and otherwise at its next end, even if it starts again by itself.
    #[default]
    NotRunning,
    /// Its next end, even if it has not started yet.
    NextExit,
    /// That it is gone.
    Removed,
}

/// What a monitor answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is done.
    Done,
    /// The client's connection can come.
    Ready,
    /// The wait has begun: [`Exited`](Reply::Exited) follows.
    Waiting,
    /// The wait is over.
    Exited {
        /// The exit code.
        status_code: i64,
        /// Why there is none: a start that failed.
        error: Option<String>,
    },
    /// It failed.
    Failed(ErrorMessage),
}

impl From<Error> for Reply {
    fn from(error: Error) -> Reply {
        Reply::Failed(ErrorMessage::of(&error))
    }
}

impl Reply {
    /// The answer, a failure being an error.
    ///
    /// # Errors
    ///
    /// That of [`Reply::Failed`].
    pub fn into_result(self) -> crate::Result<Reply> {
        match self {
            Reply::Failed(message) => Err(message.into_error()),
            reply => Ok(reply),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn an_error_keeps_its_kind_on_the_way() {
        let reply = Reply::from(Error::conflict("it runs"));
        let line = serde_json::to_string(&reply).expect("a line");
        assert_eq!(line, r#"{"failed":{"status":409,"message":"it runs"}}"#);
        let reply: Reply = serde_json::from_str(&line).expect("a reply");
        let error = reply.into_result().expect_err("an error");
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Conflict, "it runs")
        );
    }
}
