//! Signal handlers that write each signal to a pipe: the only `unsafe` code of this crate.
//!
//! A command that catches some fifty signals for the few milliseconds that a container runs needs no more than a handler
//! that writes down which signal came, and one call of the kernel a signal to install it. A library that lets anybody
//! add any action to any signal copies the list of all of them each time that one is added, which took longer than the
//! command's requests; and its handlers stay for good, so that signals do nothing afterwards.
//!
//! Each catcher has a pipe of its own, and what was before it (the default, that the signal is ignored, or a handler of
//! the host's) is back when the last one is gone. A host's own handler is called as well.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, mem, ptr};

use rustix::pipe::{PipeFlags, pipe_with};

/// Catchers that can be at once, each of a session or of a terminal's size.
const MOST: usize = 64;
/// Signals are numbered from 1 to 64.
const SIGNALS: usize = 65;

/// What a handler may look at: atomics only, since it may run at any time on any thread.
struct Slot {
    /// Bit `n - 1` is signal `n`.
    signals: AtomicU64,
    /// The end of the pipe to write to.
    pipe: AtomicI32,
}

static SLOTS: [Slot; MOST] = [const {
    Slot {
        signals: AtomicU64::new(0),
        pipe: AtomicI32::new(-1),
    }
}; MOST];

/// A host's own handler of each signal, and whether it takes three arguments.
static EARLIER: [(AtomicUsize, AtomicBool); SIGNALS] =
    [const { (AtomicUsize::new(0), AtomicBool::new(false)) }; SIGNALS];

static CATCHING: Mutex<Catching> = Mutex::new(Catching {
    pipes: Vec::new(),
    handled: BTreeMap::new(),
});

/// Who catches what.
struct Catching {
    /// Of the slots that were ever used. A handler that has just found a descriptor may write to it a moment later,
    /// so none is ever closed and becomes something else's; the next catcher uses it again.
    pipes: Vec<Pipe>,
    /// How many catch a signal, and what its action was before.
    handled: BTreeMap<c_int, (usize, libc::sigaction)>,
}

struct Pipe {
    reader: &'static OwnedFd,
    writer: &'static OwnedFd,
    is_used: bool,
}

/// Catches signals for as long as it lives.
#[derive(Debug)]
pub(crate) struct Caught {
    slot: usize,
    reader: &'static OwnedFd,
    writer: &'static OwnedFd,
    signals: Vec<c_int>,
}

impl Caught {
    /// Catches these signals. One that the kernel or a sandbox does not let be caught is left out.
    pub(crate) fn new(signals: impl IntoIterator<Item = c_int>) -> io::Result<Caught> {
        let mut catching = lock();
        let slot = match catching.pipes.iter().position(|pipe| !pipe.is_used) {
            Some(slot) => slot,
            None if catching.pipes.len() == MOST => {
                return Err(io::Error::other("too many sessions at once"));
            }
            None => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
                catching.pipes.push(Pipe {
                    reader: Box::leak(Box::new(reader)),
                    writer: Box::leak(Box::new(writer)),
                    is_used: false,
                });
                catching.pipes.len() - 1
            }
        };
        let pipe = &mut catching.pipes[slot];
        pipe.is_used = true;
        let mut caught = Caught {
            slot,
            reader: pipe.reader,
            writer: pipe.writer,
            signals: Vec::new(),
        };
        // What is left of an earlier catcher is not for this one.
        while !caught.take()?.is_empty() {}
        SLOTS[slot]
            .pipe
            .store(caught.writer.as_raw_fd(), Ordering::SeqCst);
        for signal in signals {
            // The handler must know whom to tell before the first one comes.
            SLOTS[slot].signals.fetch_or(bit(signal), Ordering::SeqCst);
            match catching.handle(signal) {
                Ok(()) => caught.signals.push(signal),
                Err(error) => log::debug!("cannot catch signal {signal}: {error}"),
            }
        }
        Ok(caught)
    }

    /// The signals that have come since the last call, in their order, without waiting for any. There may be more of them
    /// than one call returns. A zero is what [`Caught::wake`] sends.
    pub(crate) fn take(&self) -> io::Result<Vec<u8>> {
        let mut buffer = [0; 128];
        match rustix::io::read(self.reader, &mut buffer) {
            Ok(length) => Ok(buffer[..length].to_vec()),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the descriptor readable as a signal does.
    pub(crate) fn wake(&self) {
        // A pipe that is full is readable.
        let _full = rustix::io::write(self.writer, &[0]);
    }
}

/// Readable when a signal has come.
impl AsFd for Caught {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        let mut catching = lock();
        for &signal in &self.signals {
            catching.release(signal);
        }
        SLOTS[self.slot].signals.store(0, Ordering::SeqCst);
        catching.pipes[self.slot].is_used = false;
    }
}

impl Catching {
    /// Installs the handler, unless another catcher has.
    fn handle(&mut self, signal: c_int) -> io::Result<()> {
        if let Some((count, _)) = self.handled.get_mut(&signal) {
            *count += 1;
            return Ok(());
        }
        let mut ours = action(handler as *const () as libc::sighandler_t);
        // As most libraries install theirs: calls go on where they were, on a stack for the purpose if there is one.
        ours.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO | libc::SA_ONSTACK;
        let earlier = exchange(signal, &ours)?;
        self.handled.insert(signal, (1, earlier));
        let is_handler = !matches!(earlier.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN);
        if let Some((function, takes_three)) = usize::try_from(signal)
            .ok()
            .and_then(|signal| EARLIER.get(signal))
        {
            takes_three.store(earlier.sa_flags & libc::SA_SIGINFO != 0, Ordering::SeqCst);
            let pointer = if is_handler { earlier.sa_sigaction } else { 0 };
            function.store(pointer, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Puts the earlier action back when nobody catches the signal any more.
    fn release(&mut self, signal: c_int) {
        let Some((count, earlier)) = self.handled.get_mut(&signal) else {
            return;
        };
        *count -= 1;
        if *count > 0 {
            return;
        }
        let is_ours = |action: &libc::sigaction| {
            action.sa_sigaction == handler as *const () as libc::sighandler_t
        };
        match exchange(signal, earlier) {
            Ok(current) if is_ours(&current) => {
                self.handled.remove(&signal);
            }
            // Somebody has put a handler over ours meanwhile, and calls ours: theirs is put back, and ours, which now
            // tells nobody, stays known.
            Ok(current) => {
                if let Err(error) = exchange(signal, &current) {
                    log::debug!("cannot restore the handler of signal {signal}: {error}");
                }
            }
            Err(error) => log::debug!("cannot restore the action of signal {signal}: {error}"),
        }
    }
}

fn lock() -> MutexGuard<'static, Catching> {
    CATCHING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bit(signal: c_int) -> u64 {
    u32::try_from(signal - 1)
        .ok()
        .and_then(|shift| 1_u64.checked_shl(shift))
        .unwrap_or(0)
}

fn action(function: libc::sighandler_t) -> libc::sigaction {
    // SAFETY: it is a plain structure of C, for which all zeros are the default action.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = function;
    action
}

/// Whether a signal does nothing because this process, or whoever started it, ignores it; one whose default is to do
/// nothing is not ignored.
#[must_use]
pub fn is_ignored(signal: c_int) -> bool {
    let mut current = action(libc::SIG_DFL);
    // SAFETY: the structure is valid, and without a new one nothing is changed.
    let asked = unsafe { libc::sigaction(signal, ptr::null(), &raw mut current) };
    // One that others catch at the moment is judged by what it was before them.
    if current.sa_sigaction == handler as *const () as libc::sighandler_t {
        let catching = lock();
        let earlier = catching.handled.get(&signal);
        return earlier.is_some_and(|(_, earlier)| earlier.sa_sigaction == libc::SIG_IGN);
    }
    asked == 0 && current.sa_sigaction == libc::SIG_IGN
}

/// Sets the action of a signal and returns the one that it had.
fn exchange(signal: c_int, new: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut old = action(libc::SIG_DFL);
    // SAFETY: both structures are valid; a handler in `new` is ours, which does only what a handler may, or was in place
    // before.
    if unsafe { libc::sigaction(signal, new, &raw mut old) } == 0 {
        Ok(old)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Writes the signal's number to whoever catches it. It may interrupt anything, so it allocates nothing, takes no lock and
/// leaves `errno` as it was.
extern "C" fn handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: it is a thread's own variable.
    let errno = unsafe { *libc::__errno_location() };
    let byte = u8::try_from(signal).unwrap_or(0);
    for slot in &SLOTS {
        if slot.signals.load(Ordering::SeqCst) & bit(signal) != 0 {
            let pipe = slot.pipe.load(Ordering::SeqCst);
            // SAFETY: one byte of a local variable; pipes of slots are never closed. One that is full has had more signals
            // than anybody sends, and this is one more.
            unsafe { libc::write(pipe, ptr::from_ref(&byte).cast(), 1) };
        }
    }
    let earlier = usize::try_from(signal)
        .ok()
        .and_then(|signal| EARLIER.get(signal));
    if let Some((function, takes_three)) = earlier {
        let function = function.load(Ordering::SeqCst);
        if function != 0 {
            // SAFETY: the host installed this function as a handler, with this number of arguments.
            unsafe {
                if takes_three.load(Ordering::SeqCst) {
                    type Three = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
                    mem::transmute::<*const (), Three>(function as *const ())(
                        signal, info, context,
                    );
                } else {
                    type One = extern "C" fn(c_int);
                    mem::transmute::<*const (), One>(function as *const ())(signal);
                }
            }
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use signal_hook::consts::{SIGUSR1, SIGUSR2};
    use signal_hook::low_level::raise;

    use super::*;

    /// What has come when something has.
    fn next(caught: &Caught) -> Vec<u8> {
        let mut polled = [rustix::event::PollFd::new(
            caught,
            rustix::event::PollFlags::IN,
        )];
        while rustix::event::poll(&mut polled, None).is_err() {}
        caught.take().expect("read")
    }

    // One test, for all of it is about the whole process.
    #[test]
    fn each_catcher_gets_its_own_signals_and_the_host_its_handler_back() {
        let seen = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGUSR1, Arc::clone(&seen)).expect("the host's handler");
        let both = Caught::new([SIGUSR1, SIGUSR2]).expect("catch");
        let one = Caught::new([SIGUSR1]).expect("catch");
        raise(SIGUSR1).expect("signal");
        assert_eq!(next(&one), [10]);
        assert_eq!(next(&both), [10]);
        assert!(seen.swap(false, Ordering::SeqCst), "the host sees it too");
        drop(one);
        raise(SIGUSR2).expect("signal");
        assert_eq!(next(&both), [12]);
        both.wake();
        assert_eq!(next(&both), [0]);
        let slot = both.slot;
        drop(both);
        raise(SIGUSR1).expect("signal");
        let again = Caught::new([SIGUSR1]).expect("catch");
        assert_eq!(again.slot, slot, "the pipe is used again");
        assert!(again.take().expect("read").is_empty());
        assert!(seen.load(Ordering::SeqCst));
    }
}
