//! The size of a terminal's window.

use std::os::fd::AsFd;

use rustix::termios;

/// The size of a terminal's window, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// Returns the size of the terminal behind `fd` (`TIOCGWINSZ`), or `None` if there is no terminal.
///
/// A terminal that was never told its size, a serial line for example, answers 0x0; that is returned as it is.
pub fn size(fd: impl AsFd) -> Option<Size> {
    let size = termios::tcgetwinsize(fd).ok()?;
    Some(Size {
        rows: size.ws_row,
        columns: size.ws_col,
    })
}

#[cfg(test)]
mod tests {
    use rustix::termios::{Winsize, tcsetwinsize};

    use super::*;

    #[test]
    fn a_terminals_size_is_what_it_was_told() {
        let pty = rustix_openpty::openpty(None, None).expect("open a pty");
        tcsetwinsize(
            &pty.controller,
            Winsize {
                ws_row: 24,
                ws_col: 133,
                ws_xpixel: 0,
                ws_ypixel: 0,
            },
        )
        .expect("set the size");
        assert_eq!(
            size(&pty.user),
            Some(Size {
                rows: 24,
                columns: 133
            })
        );
    }

    #[test]
    fn what_is_no_terminal_has_no_size() {
        let (reader, _writer) = std::io::pipe().expect("open a pipe");
        assert_eq!(size(&reader), None);
    }
}
