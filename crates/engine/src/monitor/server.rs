//! Answering requests.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustix::net::{RecvFlags, SendFlags, send};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::container::Container;
use super::exec;
use super::progress;
use super::protocol::{Attach, LONGEST_LINE, Reply, Request};
use super::replay::Replay;
use super::session::Session;
use super::streams::{Streams, Typed, detach_keys};
use crate::{Error, Result, lines};

/// A client of this monitor: a server, or another part of the engine.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    /// What was read and not asked for yet.
    bytes: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> Connection {
        Connection {
            stream,
            bytes: Vec::new(),
            descriptors: VecDeque::new(),
        }
    }

    /// The next request, and the descriptor that came with it; nothing at the end.
    async fn receive(&mut self) -> io::Result<Option<(Request, Option<OwnedFd>)>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|&byte| byte == b'\n') {
                let request = serde_json::from_slice(&self.bytes[..end])?;
                self.bytes.drain(..=end);
                return Ok(Some((request, self.descriptors.pop_front())));
            }
            if self.bytes.len() > LONGEST_LINE {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let (bytes, descriptors) = self
                .stream
                .async_io(Interest::READABLE, || {
                    lines::receive(&self.stream, RecvFlags::DONTWAIT)
                })
                .await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            self.bytes.extend_from_slice(&bytes);
            self.descriptors.extend(descriptors);
        }
    }

    /// Answers. Who is not there any more needs no answer.
    async fn reply(&self, reply: &Reply) {
        let Ok(mut line) = serde_json::to_vec(reply) else {
            return;
        };
        line.push(b'\n');
        let mut rest = &line[..];
        while !rest.is_empty() {
            let attempt = || {
                Ok(send(
                    &self.stream,
                    rest,
                    SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
                )?)
            };
            match self.stream.async_io(Interest::WRITABLE, attempt).await {
                Ok(sent) => rest = &rest[sent..],
                Err(_) => return,
            }
        }
    }

    /// Waits until the client is gone.
    async fn closed(&mut self) {
        while let Ok(Some(_)) = self.receive().await {}
    }
}

/// Serves one connection: one operation.
pub(super) async fn serve(container: Rc<Container>, mut connection: Connection) {
    let request = match connection.receive().await {
        Ok(Some((request, _))) => request,
        Ok(None) => return,
        Err(error) => {
            let error = Error::invalid(format!("the request to the monitor: {error}"));
            return connection.reply(&error.into()).await;
        }
    };
    log::debug!("asked for {request:?}");
    let done = match request {
        Request::Start => container.start().await,
        Request::Kill { signal } => container.kill(signal),
        Request::Stop { signal, timeout } => container.stop(signal, timeout).await,
        Request::Restart { signal, timeout } => container.restart(signal, timeout).await,
        Request::Ping => Ok(()),
        Request::Pause => container.set_paused(true),
        Request::Unpause => container.set_paused(false),
        Request::Resize(size) => container.resize(size),
        Request::ExecResize { id, size } => exec::resize(&container, &id, size),
        Request::Remove { force, volumes } => container.remove(force, volumes).await,
        Request::ExecStart {
            id,
            detach: true,
            size,
            ..
        } => exec::prepare(&container, &id).and_then(|prepared| prepared.start(size)),
        Request::Wait { condition } => {
            connection.reply(&Reply::Waiting).await;
            let ended = progress::wait(container.progress(), condition);
            let reply = tokio::select! {
                reply = ended => reply,
                () = connection.closed() => return,
            };
            return connection.reply(&reply).await;
        }
        Request::Attach(request) => attach(&container, &mut connection, &request).await,
        Request::ExecStart { id, tty, size, .. } => {
            attach_to_exec(&container, &mut connection, &id, tty, size).await
        }
        Request::Stream { .. } => Err(Error::invalid("there is no session to stream to")),
    };
    let reply = match done {
        Ok(()) => Reply::Done,
        Err(error) => error.into(),
    };
    connection.reply(&reply).await;
}

async fn attach(
    container: &Rc<Container>,
    connection: &mut Connection,
    request: &Attach,
) -> Result<()> {
    detach_keys(&request.detach_keys)?;
    let replay = match request.logs {
        true => Some(Replay::new(
            &container.layout.container(&container.record.id),
            request,
        )),
        false => None,
    };
    let (streams, session) = container.attach(request)?;
    let Some((client, early)) = client(connection, &session).await? else {
        streams.hub.made_room();
        return Ok(());
    };
    if let Some(replay) = replay {
        replay.play(&client, !streams.tty).await;
    }
    session.connect(Rc::clone(&client));
    let typed = match request.stdin && request.stream && container.record.open_stdin() {
        true => Some(Typed::new(early, &request.detach_keys)?),
        false => None,
    };
    serve_apart(container, &streams, session, client, typed);
    Ok(())
}

/// Runs a session that the connection need not be open for.
fn serve_apart(
    container: &Rc<Container>,
    streams: &Rc<Streams>,
    session: Rc<Session>,
    client: Rc<UnixStream>,
    typed: Option<Typed>,
) {
    let guard = container.busy.guard();
    let streams = Rc::clone(streams);
    tokio::task::spawn_local(async move {
        streams.serve(session, client, typed).await;
        drop(guard);
    });
}

/// Has the server say "101 UPGRADED" and hand its client over; nothing if that went away meanwhile.
async fn client(
    connection: &mut Connection,
    session: &Session,
) -> Result<Option<(Rc<UnixStream>, Vec<u8>)>> {
    connection.reply(&Reply::Ready).await;
    let received = match connection.receive().await {
        Ok(Some((Request::Stream { early }, Some(stream)))) => Ok((early, stream)),
        Ok(None) | Err(_) => {
            session.abandon();
            return Ok(None);
        }
        Ok(Some(_)) => Err(Error::invalid("a session needs a stream")),
    };
    let taken = received.and_then(|(early, stream)| {
        let early = BASE64
            .decode(&early)
            .map_err(|error| Error::invalid(format!("early input: {error}")))?;
        let failed = |error| Error::io("take over a client", error);
        let stream = std::os::unix::net::UnixStream::from(stream);
        stream.set_nonblocking(true).map_err(failed)?;
        let stream = UnixStream::from_std(stream).map_err(failed)?;
        Ok(Some((Rc::new(stream), early)))
    });
    if taken.is_err() {
        session.abandon();
    }
    taken
}

async fn attach_to_exec(
    container: &Rc<Container>,
    connection: &mut Connection,
    id: &str,
    tty: bool,
    size: Option<super::protocol::Size>,
) -> Result<()> {
    let prepared = exec::prepare(container, id)?;
    let session = prepared.attach(tty);
    let Some((client, early)) = client(connection, &session).await? else {
        return Ok(());
    };
    session.connect(Rc::clone(&client));
    let typed = prepared.typed(early)?;
    serve_apart(container, prepared.streams(), session, client, typed);
    // Whoever started it looks at its output, so that is where the reason goes.
    if let Err(error) = prepared.start(size) {
        log::debug!("{error}");
    }
    Ok(())
}
