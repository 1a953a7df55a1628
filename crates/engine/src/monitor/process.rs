//! A monitor's process: from its start, by whoever needed it, to its end.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{setsid, umask};
use rustix::stdio::{dup2_stdin, dup2_stdout, stdin, stdout};
use tokio::net::UnixListener;
use tokio::task::LocalSet;

use super::container::Container;
use super::reaper::Reaper;
use super::server::{self, Connection};
use super::spawn;
use crate::state::{Lock, Moment, Status};
use crate::user_namespace::{Anchor, Ids};
use crate::{Error, Layout, Result, sys};

reexec::submit! { reexec::Initializer::new(spawn::NAME, run) }

/// How long a monitor that nobody wants anything of waits for somebody, before the container has run.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing has to happen before a monitor lets go of memory that it can have again.
const REST: Duration = Duration::from_millis(500);

/// Whether that long has passed: memory is let go of when this process goes to sleep next.
static IS_AT_REST: AtomicBool = AtomicBool::new(false);

fn run(arguments: &[OsString]) -> u8 {
    match try_run(arguments) {
        Ok(()) => 0,
        Err(error) => {
            log::error!("{error}");
            1
        }
    }
}

fn try_run(arguments: &[OsString]) -> Result<()> {
    let [root, run, id, configuration] = arguments else {
        return Err(Error::invalid("a monitor is started by the engine alone"));
    };
    let id = id
        .to_str()
        .ok_or_else(|| Error::invalid("the container's id is no text"))?;
    let layout = Layout::from_parts(PathBuf::from(root), PathBuf::from(run))
        .with_configuration(configuration);
    let failed = |error: io::Error| Error::io("become a monitor", error);

    // What whoever started us had open is not for a container to hold.
    sys::close_all_but(&mut []).map_err(failed)?;
    listen_to_nobody()?;
    let (listener, lock) = take_over_descriptors().map_err(failed)?;
    let lock = Lock::inherited(lock, &layout, id);
    let signals = sys::block_signals().map_err(failed)?;
    let home = open(
        "/proc/self/ns/mnt",
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| failed(error.into()))?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // As late as can be: each page of code that runs behind it is mapped again, with fifteen more.
        .on_thread_park(|| {
            if IS_AT_REST.swap(false, Ordering::Relaxed) {
                sys::release_idle_pages();
            }
        })
        .build()
        .map_err(failed)?;
    LocalSet::new().block_on(&runtime, async {
        let reaper = Reaper::new(signals).map_err(failed)?;
        let reaping = Rc::clone(&reaper);
        tokio::task::spawn_local(async move { reaping.run().await });
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = UnixListener::from_std(listener).map_err(failed)?;
        let _anchor = match Ids::of_this_process()? {
            Some(_) => Some(Anchor::drop_at(&layout)?),
            None => None,
        };
        let container = Container::open(layout, id, lock, reaper, home)?;
        container.take_over()?;
        serve(&container, &listener).await?;
        container.delete_leftovers()
    })
}

/// A session of its own, where no terminal's keys reach; what is written to standard error is a log.
fn listen_to_nobody() -> Result<()> {
    // It fails where whoever started us made us the leader of a group, and then there is no terminal either.
    let _ = setsid();
    // No directory of the user's is kept from being unmounted.
    std::env::set_current_dir("/").map_err(|error| Error::io("change to /", error))?;
    umask(Mode::from_raw_mode(0o022));
    // What tools show: by default it is the last part of `/proc/self/exe`. Without it there is a name less.
    let _ = rustix::thread::set_name(c"tool-monitor");
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| Error::io("become a subreaper", error))?;
    // Another logger is there in a test alone.
    let _ = log::set_logger(&Log);
    log::set_max_level(log::LevelFilter::Info);
    let write = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        write(panic);
        // Half a monitor is worse than none, which is noticed and replaced.
        std::process::abort();
    }));
    Ok(())
}

/// The socket is standard input and the lock standard output, where it takes no unsafe code to hand them down.
fn take_over_descriptors() -> io::Result<(std::os::unix::net::UnixListener, OwnedFd)> {
    let listener = fcntl_dupfd_cloexec(stdin(), 3)?;
    let lock = fcntl_dupfd_cloexec(stdout(), 3)?;
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(null.as_fd())?;
    dup2_stdout(null.as_fd())?;
    Ok((listener.into(), lock))
}

async fn serve(container: &Rc<Container>, listener: &UnixListener) -> Result<()> {
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            () = done(container) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let guard = container.busy.guard();
                let container = Rc::clone(container);
                tokio::task::spawn_local(async move {
                    server::serve(container, Connection::new(stream)).await;
                    drop(guard);
                });
            }
            Err(error) => {
                log::error!("accept: {error}");
                // Out of descriptors: some will be closed.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    let path = container
        .layout
        .container_run(&container.record.id)
        .join(spawn::SOCKET);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format_args!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Waits until nobody wants anything of this monitor any more.
async fn done(container: &Container) {
    let mut progress = container.progress();
    // One that only goes on with a removal is done before it has looked whether somebody came for that.
    tokio::task::yield_now().await;
    loop {
        let is_active = matches!(
            container.status(),
            Status::Running | Status::Paused | Status::Restarting
        );
        let is_removed = progress.borrow_and_update().is_removed;
        if !container.busy.is_idle() || (is_active && !is_removed) {
            tokio::select! {
                () = container.busy.changed() => {}
                // The container holds the sender.
                _ = progress.changed() => {}
                () = rest() => {}
            }
            continue;
        }
        if container.has_run() || is_removed {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(PATIENCE) => return,
            () = container.busy.changed() => {}
        }
    }
}

/// Has this process be small when nothing has happened for a while; does not end.
async fn rest() {
    tokio::time::sleep(REST).await;
    IS_AT_REST.store(true, Ordering::Relaxed);
    std::future::pending().await
}

/// Lines in the container's `monitor.log`.
struct Log;

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Info
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}: {}\n", Moment::now(), record.level(), record.args());
            // There is nobody to tell that a log cannot be written.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}
