//! One connection: requests are read, handed to the router, and answered.

use std::any::Any;
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::Interest;

use super::EMBEDDED_ENGINE_HEADER;
use super::answer::Answer;
use super::body::AnswerBody;
use super::call::{self, Call};
use super::router;
use super::version::ApiVersion;
use crate::{Engine, Error, Result};

/// How long nobody is accepted after the system would not have one more connection.
const BREATH: Duration = Duration::from_millis(100);

/// An upgrade that was answered, and who goes on with the stream.
type Hijack = (OnUpgrade, Box<dyn FnOnce(UnixStream, Vec<u8>) + Send>);

/// Answers the requests of one client, until it or a hijack ends the connection.
///
/// # Errors
///
/// Those of the system. A client that breaks the connection or the protocol is no error.
pub fn serve(stream: UnixStream, engine: &Engine) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let watched = stream.try_clone()?;
    stream.set_nonblocking(true)?;
    let hijacked = runtime.block_on(async {
        let stream = tokio::net::UnixStream::from_std(stream)?;
        let hijack: RefCell<Option<Hijack>> = RefCell::default();
        let service = service_fn(|request| async {
            Ok::<_, Infallible>(respond(engine, request, &hijack).await)
        });
        let connection = http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let done = unless_hung_up(watched, connection).await?;
        let Some((upgrade, then)) = hijack.take() else {
            return Ok(None);
        };
        // What it failed with is the client's doing.
        let Some(Ok(())) = done else {
            return Ok(None);
        };
        let upgraded = upgrade.await.map_err(io::Error::other)?;
        let parts: Parts<TokioIo<tokio::net::UnixStream>> = upgraded
            .downcast()
            .map_err(|_| io::Error::other("the connection is of another type"))?;
        let stream = parts.io.into_inner().into_std()?;
        io::Result::Ok(Some((stream, parts.read_buf, then)))
    })?;
    drop(runtime);
    if let Some((stream, early, then)) = hijacked {
        stream.set_nonblocking(false)?;
        then(stream, early.into());
    }
    Ok(())
}

/// Accepts clients and answers each on a thread of its own, for as long as the listener can be accepted from.
///
/// # Errors
///
/// Those of the listener.
pub fn listen(listener: &UnixListener, engine: &Engine) -> io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if is_passing(&error) => {
                thread::sleep(BREATH);
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Err(error) = serve_apart(stream, engine.clone()) {
            // Whoever comes next may be luckier.
            log::warn!("a connection was refused: {error}");
        }
    }
}

/// Answers one client on a thread of its own.
pub(crate) fn serve_apart(stream: UnixStream, engine: Engine) -> io::Result<()> {
    thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || {
            if let Err(error) = serve(stream, &engine) {
                log::warn!("a connection failed: {error}");
            }
        })?;
    Ok(())
}

/// Whether accepting may work again later: a client that left while it waited, or too many descriptors.
fn is_passing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::CONNABORTED
                | Errno::INTR
                | Errno::MFILE
                | Errno::NFILE
                | Errno::NOBUFS
                | Errno::NOMEM
        )
    )
}

/// The outcome of the future, or `None` if the client closed its end of the connection before.
///
/// A client that only ends its writing waits for its answer still, so hyper does not tell of it; but the answer to a
/// `wait` may be days away, and whoever asked gone.
async fn unless_hung_up<F: Future>(
    watched: UnixStream,
    future: F,
) -> io::Result<Option<F::Output>> {
    let watched = tokio::net::UnixStream::from_std(watched)?;
    let mut hung_up = pin!(async {
        while !watched.ready(Interest::WRITABLE).await?.is_write_closed() {
            // Says that it is not writable any more, so that the next change is told.
            let blocked = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = watched.try_io(Interest::WRITABLE, blocked);
        }
        io::Result::Ok(())
    });
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(Some(output)));
        }
        hung_up
            .as_mut()
            .poll(context)
            .map(|ended| ended.map(|()| None))
    })
    .await
}

async fn respond(
    engine: &Engine,
    mut request: Request<Incoming>,
    hijack: &RefCell<Option<Hijack>>,
) -> Response<AnswerBody> {
    let label = format!("{} {}", request.method(), request.uri().path());
    let upgrade = hyper::upgrade::on(&mut request);
    let answer = contained(answer(engine, request)).await;
    let answer = answer.unwrap_or_else(|error| {
        log::debug!("{label}: {error}");
        Answer::error(&error)
    });
    let Answer {
        mut response,
        continuation,
    } = answer;
    if let Some(then) = continuation {
        hijack.replace(Some((upgrade, then)));
    }
    mark(&mut response);
    response
}

async fn answer(engine: &Engine, request: Request<Incoming>) -> Result<Answer> {
    let (head, body) = request.into_parts();
    let body = RefCell::new(body);
    let answer = match Call::new(engine, head, &body) {
        Ok(call) => router::route(call).await,
        Err(error) => Err(error),
    };
    if answer.is_err() {
        call::drain(&body).await;
    }
    answer
}

/// The outcome of a handler; an error in place of a panic, so that one request's mistake is not every other's end.
async fn contained(handler: impl Future<Output = Result<Answer>>) -> Result<Answer> {
    let mut handler = pin!(handler);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(context))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(Error::system(format!(
                "the engine failed: {}",
                panic_text(&*panic)
            )))),
        },
    )
    .await
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}

/// What every answer tells of the engine.
fn mark(response: &mut Response<AnswerBody>) {
    let version = env!("CARGO_PKG_VERSION");
    let values = [
        ("api-version", ApiVersion::MAXIMUM.to_string()),
        ("docker-experimental", "false".to_owned()),
        ("ostype", "linux".to_owned()),
        (SERVER.as_str(), format!("tool/{version} (linux)")),
        (EMBEDDED_ENGINE_HEADER, version.to_owned()),
    ];
    for (name, value) in values {
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) else {
            continue;
        };
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_one_request() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a run-time");
        let error = runtime
            .block_on(contained(async { panic!("oh {}", "dear") }))
            .expect_err("a panic");
        assert_eq!(error.status(), 500);
        assert_eq!(error.to_string(), "the engine failed: oh dear");
    }
}
