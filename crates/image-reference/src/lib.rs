//! Parses names of images and platforms by Docker's rules, as pure functions.
//!
//! Clients and engines both read these names, and neither knows the other, so they share this crate.
//!
//! ```
//! use image_reference::{Image, normalize_platform};
//!
//! let Image::Named(reference) = Image::parse("busybox")? else { panic!("it is no ID") };
//! assert_eq!(reference.repository(), "docker.io/library/busybox");
//! assert_eq!(reference.familiar(), "busybox:latest");
//! assert_eq!(normalize_platform("aarch64")?, "linux/arm64");
//! # Ok::<(), image_reference::InvalidName>(())
//! ```

#![forbid(unsafe_code)]

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod grammar;
mod invalid;
mod platform;
mod reference;

pub use invalid::InvalidName;
pub use platform::normalize as normalize_platform;
pub use reference::{Image, Reference};
