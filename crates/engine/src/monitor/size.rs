//! The size of terminals.

use std::os::fd::BorrowedFd;

use bollard_stubs::models::HostConfig;
use rustix::termios::{Winsize, tcsetwinsize};

use super::protocol::Size;
use crate::{Error, Result};

/// The size that a container's terminal has at first.
pub(super) fn console_size(host_config: &HostConfig) -> Option<Winsize> {
    of_console(host_config.console_size.as_deref())
}

/// The size that the API has as a list: lines, then columns.
pub(super) fn of_console<T: Copy + TryInto<u16>>(size: Option<&[T]>) -> Option<Winsize> {
    match size {
        Some(&[height, width]) => winsize(Size {
            height: height.try_into().ok()?,
            width: width.try_into().ok()?,
        }),
        _ => None,
    }
}

/// A terminal of no size is one whose size is not known.
pub(super) fn winsize(size: Size) -> Option<Winsize> {
    (size.height > 0 || size.width > 0).then_some(Winsize {
        ws_row: size.height,
        ws_col: size.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    })
}

/// Sets the size of a terminal.
pub(super) fn resize(terminal: BorrowedFd<'_>, size: Size) -> Result<()> {
    let size = Winsize {
        ws_row: size.height,
        ws_col: size.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).map_err(|error| Error::io("resize the terminal", error))
}
