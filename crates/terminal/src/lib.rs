//! The terminal: raw mode, detach keys, window size, progress bars.
