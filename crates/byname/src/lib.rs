//! Dispatches commands by name: handlers register themselves, argv finds them.
