//! The process in the namespace.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::setsid;
use rustix::stdio::{dup2_stdin, stdin};

use super::enter;
use super::inside::{NAME, Purpose};
use super::request::{Channel, Reply, Request};
use crate::{Engine, Error, Layout, Result, api, check, machine, restore, sys};

reexec::submit! { reexec::Initializer::new(NAME, run) }

fn run(arguments: &[OsString]) -> u8 {
    let channel = match take_over() {
        Ok(channel) => channel,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            return 1;
        }
    };
    match serve(arguments, &channel) {
        Ok(()) => 0,
        Err(error) => {
            // Whoever would be told is the one who did not come.
            let _ = channel.send(&Reply::from(error), None);
            1
        }
    }
}

/// The socket is standard input. What else is open is not for monitors and containers to hold.
fn take_over() -> io::Result<Arc<Channel>> {
    sys::close_all_but(&mut [])?;
    let socket = fcntl_dupfd_cloexec(stdin(), 3)?;
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(null.as_fd())?;
    // Keys at the terminal are for whoever started us, who decides when we end.
    let _ = setsid();
    let _ = rustix::thread::set_name(c"tool-namespace");
    Ok(Arc::new(Channel::new(socket.into())))
}

fn serve(arguments: &[OsString], channel: &Arc<Channel>) -> Result<()> {
    let [root, run, purpose, level, configuration] = arguments else {
        return Err(Error::invalid(format!(
            "{NAME} is started by the engine alone"
        )));
    };
    let layout = Layout::from_parts(PathBuf::from(root), PathBuf::from(run))
        .with_configuration(configuration);
    let stays = purpose != Purpose::Look.as_str();
    if let Some(level) = level.to_str().and_then(|level| level.parse().ok()) {
        // There is no other one yet.
        let _ = log::set_logger(&Log);
        log::set_max_level(level);
    }
    let _anchor = enter::enter(&layout, stays, channel)?;
    let engine = match stays {
        true => Some(Engine::open(layout.clone())?),
        false => None,
    };
    let failed = |error: io::Error| Error::io("talk to whoever started the engine", error);
    channel.send(&Reply::Done, None).map_err(failed)?;
    while let Some((request, descriptor)) = channel.receive().map_err(failed)? {
        let answer = match request {
            Request::Listen => match listen(engine.as_ref(), descriptor, channel) {
                // It answers when it is over.
                Ok(()) => continue,
                Err(error) => Err(error),
            },
            request => answer(&layout, engine.as_ref(), request, descriptor),
        };
        let answer = answer.unwrap_or_else(Reply::from);
        channel.send(&answer, None).map_err(failed)?;
    }
    Ok(())
}

fn answer(
    layout: &Layout,
    engine: Option<&Engine>,
    request: Request,
    descriptor: Option<OwnedFd>,
) -> Result<Reply> {
    Ok(match (request, engine, descriptor) {
        (Request::Connect, Some(engine), Some(client)) => {
            api::serve_apart(UnixStream::from(client), engine.for_one_command())
                .map_err(|error| Error::io("start a thread", error))?;
            Reply::Done
        }
        (Request::Check { repair }, ..) => Reply::Checked(check::check(layout, repair)?),
        (Request::Restore, ..) => Reply::Restored(restore::restore(layout)?),
        (Request::Survey, ..) => Reply::Surveyed(Box::new(machine::Survey::take(layout)?)),
        (request, ..) => return Err(Error::invalid(format!("{request:?} makes no sense here"))),
    })
}

fn listen(
    engine: Option<&Engine>,
    descriptor: Option<OwnedFd>,
    channel: &Arc<Channel>,
) -> Result<()> {
    let (Some(engine), Some(socket)) = (engine.cloned(), descriptor) else {
        return Err(Error::invalid("there is no socket to listen on"));
    };
    let channel = Arc::clone(channel);
    thread::Builder::new()
        .name("accept".to_owned())
        .spawn(move || {
            if let Err(error) = api::listen(&UnixListener::from(socket), &engine) {
                let reply = Reply::from(Error::io("accept clients", error));
                let _ = channel.send(&reply, None);
            }
        })
        .map(drop)
        .map_err(|error| Error::io("start a thread", error))
}

/// Lines on standard error, as those of the command that started us.
struct Log;

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = record.level().as_str().to_ascii_lowercase();
            eprintln!("{level}: {}", record.args());
        }
    }

    fn flush(&self) {}
}
