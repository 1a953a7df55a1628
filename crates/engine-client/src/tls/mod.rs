//! TLS to an engine: the files involved and their meaning.
//!
//! rustls knows nothing of this process until the first connection: reading the files is all that happens before, and
//! that only where TLS was asked for.

mod config;
mod failure;
mod pump;
mod session;

use std::path::{Path, PathBuf};
use std::{fmt, io};

pub(crate) use config::client_config;
pub(crate) use session::secure;

use crate::error::{Error, ErrorKind, os_text};
use crate::input_file::{PATIENCE, read_file};

/// Where the parts of [`Tls`] are, in files of the PEM format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authorities that may have signed the engine's certificate, and no others; without a file those that this
    /// machine trusts.
    pub authorities: Option<PathBuf>,
    /// The certificate that the client shows, with what leads to its authority. It counts together with `key` only.
    pub certificate: Option<PathBuf>,
    /// The private key of `certificate`: PKCS #1, PKCS #8 or SEC 1, not encrypted.
    pub key: Option<PathBuf>,
    /// Whether the engine's certificate must be signed by an authority, be valid now, and be for the host that was
    /// asked for. Without, anyone can be the engine.
    pub verify: bool,
}

/// How a connection is secured: whom to trust, and what to show.
///
/// Its `Debug` form shows no key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tls {
    authorities: Option<Pem>,
    identity: Option<Identity>,
    verify: bool,
}

/// A certificate and its key.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Identity {
    certificate: Pem,
    key: Pem,
}

/// What a file holds, with its name for messages.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Pem {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Tls {
    /// Reads the files. Their contents are looked at by the first connection.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for a file that can not be read; it is named.
    pub fn read(files: &TlsFiles) -> Result<Tls, Error> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(Pem::read).transpose();
        let authorities = read(&files.authorities)?;
        let (certificate, key) = (read(&files.certificate)?, read(&files.key)?);
        Ok(Tls {
            authorities,
            identity: certificate
                .zip(key)
                .map(|(certificate, key)| Identity { certificate, key }),
            verify: files.verify,
        })
    }

    /// Whether the engine's certificate is verified.
    pub fn verifies(&self) -> bool {
        self.verify
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |pem: &Pem| pem.path.clone();
        f.debug_struct("Tls")
            .field("authorities", &self.authorities.as_ref().map(path))
            .field(
                "certificate",
                &self.identity.as_ref().map(|own| path(&own.certificate)),
            )
            .field("verify", &self.verify)
            .finish()
    }
}

impl Pem {
    fn read(path: &Path) -> Result<Pem, Error> {
        let failed = |error: io::Error| {
            let message = format!("open {}: {}", path.display(), os_text(&error));
            Error::new(ErrorKind::Input, message).with_source(error)
        };
        Ok(Pem {
            path: path.to_owned(),
            bytes: read_file(path, PATIENCE).map_err(failed)?,
        })
    }
}
