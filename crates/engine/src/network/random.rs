//! Chance from the kernel.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::{Error, Result};

/// Random bytes.
pub(crate) fn bytes<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let mut done = 0;
    while done < LENGTH {
        match getrandom(&mut bytes[done..], GetRandomFlags::empty()) {
            Ok(more) => done += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::io("getrandom", error)),
        }
    }
    Ok(bytes)
}

/// Random bytes in hexadecimal, two letters each.
pub(crate) fn hex<const LENGTH: usize>() -> Result<String> {
    Ok(bytes::<LENGTH>()?
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
