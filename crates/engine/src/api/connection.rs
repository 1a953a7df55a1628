//! One connection: requests are read, handed to the router, and answered.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::thread;

use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderName, HeaderValue, SERVER, UPGRADE};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::Interest;
use tokio::time::{Instant, sleep_until};

use super::EMBEDDED_ENGINE_HEADER;
use super::answer::Answer;
use super::body::AnswerBody;
use super::call::{self, Call};
use super::hijack::Hijack;
use super::version::ApiVersion;
use super::wire::{Conversation, HEAD_LIMIT, Late, Watched, Wire};
use super::{head, router};
use crate::{Engine, Error, Result, socket};

/// How a conversation ends.
enum End {
    /// The client or the protocol ended it.
    Over,
    /// The client did not send what it owes.
    Late(Late),
    /// It becomes a stream, of which some was read.
    Stream(UnixStream, Bytes, Hijack),
}

/// Answers the requests of one client, until it or a hijack ends the connection. A client that takes more than ten seconds
/// for the head of a request, or asks for nothing for five minutes, is not waited for, unless it is this process's own.
///
/// # Errors
///
/// Those of the system. A client that breaks the connection or the protocol is no error.
pub fn serve(stream: UnixStream, engine: &Engine) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let ours = stream.try_clone()?;
    stream.set_nonblocking(true)?;
    let end = runtime.block_on(converse(stream, ours.try_clone()?, engine));
    drop(runtime);
    match end? {
        End::Stream(stream, read, hijack) => return hijack.take_over(stream, &read),
        End::Late(Late::Head) => turn_away(&ours),
        End::Late(Late::Silent) | End::Over => {}
    }
    socket::end(ours);
    Ok(())
}

/// Answers one client on a thread of its own.
pub(crate) fn serve_apart(stream: UnixStream, engine: Engine) -> io::Result<()> {
    serve_while(stream, engine, ())
}

/// The same; `guard` is dropped when the thread is done with it.
pub(super) fn serve_while(
    stream: UnixStream,
    engine: Engine,
    guard: impl Send + 'static,
) -> io::Result<()> {
    thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || {
            let _guard = guard;
            if let Err(error) = serve(stream, &engine) {
                log::warn!("a connection failed: {error}");
            }
        })?;
    Ok(())
}

/// Tells a client that it took too long. It does not wait: whoever sends slowly may not read at all.
fn turn_away(mut stream: &UnixStream) {
    let seconds = HEAD_LIMIT.as_secs();
    let message = format!("the head of the request was not complete after {seconds} seconds");
    let _ = stream.write(&head::refusal(StatusCode::REQUEST_TIMEOUT, &message));
}

async fn converse(stream: UnixStream, watched: UnixStream, engine: &Engine) -> io::Result<End> {
    let conversation = Conversation::new();
    let wire = Wire::new(tokio::net::UnixStream::from_std(stream)?, &conversation);
    let service = service_fn(|request| async {
        Ok::<_, Infallible>(respond(engine, request, &conversation).await)
    });
    let mut connection = http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(wire), service);
    let watched = tokio::net::UnixStream::from_std(watched)?;
    let mut hung_up = pin!(hang_up(&watched));
    let has_limits = !engine.starts_what_it_makes();
    let mut timer = pin!(sleep_until(Instant::now() + HEAD_LIMIT));
    let step = poll_fn(|context| {
        // What a connection failed with is the client's doing.
        if Pin::new(&mut connection).poll(context).is_ready() {
            return Poll::Ready(Ok(Step::Over));
        }
        if let Some(mut hijack) = conversation.take_hijack() {
            hijack.read_body(context);
            return Poll::Ready(Ok(Step::Hijack(hijack)));
        }
        if let Poll::Ready(result) = hung_up.as_mut().poll(context) {
            return Poll::Ready(result.map(|()| Step::Over));
        }
        if has_limits && let Some((deadline, late)) = conversation.deadline() {
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            return timer.as_mut().poll(context).map(|()| Ok(Step::Late(late)));
        }
        Poll::Pending
    });
    Ok(match step.await? {
        Step::Over => End::Over,
        Step::Late(late) => End::Late(late),
        Step::Hijack(hijack) => {
            let parts = connection.into_parts();
            End::Stream(parts.io.into_inner().into_stream()?, parts.read_buf, hijack)
        }
    })
}

/// What ends the part of a conversation that is HTTP.
enum Step {
    Over,
    Late(Late),
    Hijack(Hijack),
}

/// Waits until the client has closed its end of the connection.
///
/// One that only ends its writing waits for its answer still, so hyper does not tell of it; but the answer to a `wait` may
/// be days away, and whoever asked gone.
async fn hang_up(watched: &tokio::net::UnixStream) -> io::Result<()> {
    while !watched.ready(Interest::WRITABLE).await?.is_write_closed() {
        // Says that it is not writable any more, so that the next change is told.
        let blocked = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = watched.try_io(Interest::WRITABLE, blocked);
    }
    Ok(())
}

async fn respond(
    engine: &Engine,
    request: Request<Incoming>,
    conversation: &Rc<Conversation>,
) -> Response<Watched> {
    conversation.answering();
    let label = format!("{} {}", request.method(), request.uri().path());
    let wants_upgrade = request.headers().contains_key(UPGRADE);
    let (head, body) = request.into_parts();
    let body = RefCell::new(body);
    let may_become_stream = Cell::new(true);
    let answer = contained(answer(engine, head, &body, &may_become_stream)).await;
    // The client may send a stream, which nothing but the end of the connection keeps from being read as requests.
    let is_last = may_become_stream.get() && (wants_upgrade || answer.is_err());
    let answer = answer.unwrap_or_else(|error| {
        log::debug!("{label}: {error}");
        Answer::error(&error)
    });
    let Answer {
        mut response,
        continuation,
    } = answer;
    mark(&mut response);
    if let Some(then) = continuation {
        conversation.hijack(Hijack::new(response, body.into_inner(), then));
        // Whoever drives the connection takes it from here, and this with it.
        return pending().await;
    }
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response.map(|body| Watched::new(body, conversation))
}

async fn answer(
    engine: &Engine,
    head: Parts,
    body: &RefCell<Incoming>,
    may_become_stream: &Cell<bool>,
) -> Result<Answer> {
    let answer = match Call::new(engine, head, body) {
        Ok(call) => {
            may_become_stream.set(call.may_become_stream());
            router::route(call).await
        }
        Err(error) => Err(error),
    };
    if answer.is_err() && !may_become_stream.get() {
        call::drain(body).await;
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
