//! The rustls configuration: cryptography, trusted authorities, client certificate.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, DigitallySignedStruct, InconsistentKeys, RootCertStore, SignatureScheme,
};

use super::{Identity, Pem, Tls};
use crate::error::{Error, ErrorKind};

/// The configuration of all connections to one engine, which also lets later ones take up the session of the first.
///
/// `None` is TLS as this machine trusts it, without a certificate of our own: what a proxy is spoken to in.
pub(crate) fn client_config(tls: Option<&Tls>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("TLS", &error))?;
    let authorities = tls.and_then(|tls| tls.authorities.as_ref());
    let roots = authorities.map(roots_of).transpose()?;
    let builder = if tls.is_none_or(|tls| tls.verify) {
        let roots = roots.unwrap_or_else(roots_of_this_machine);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| match authorities {
                Some(pem) => invalid(&pem.path.display().to_string(), &error),
                None => Error::new(
                    ErrorKind::Connect,
                    "tls: this machine has no certificates of authorities, and none were given",
                ),
            })?;
        builder.with_webpki_verifier(verifier)
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptsAnyServer(provider)))
    };
    let identity = tls.and_then(|tls| tls.identity.as_ref());
    let config = match identity {
        Some(identity) => {
            let key = Arc::new(certified_key(identity)?);
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn roots_of(pem: &Pem) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(pem)?);
    match added {
        0 => Err(invalid(
            &pem.path.display().to_string(),
            &"it holds no certificate",
        )),
        _ => Ok(roots),
    }
}

fn roots_of_this_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        log::debug!(target: "engine_client", "certificates of authorities: {error}");
    }
    roots.add_parsable_certificates(found.certs);
    roots
}

fn certified_key(identity: &Identity) -> Result<CertifiedKey, Error> {
    let Identity { certificate, key } = identity;
    let path = key.path.display().to_string();
    let chain = certificates(certificate)?;
    if chain.is_empty() {
        return Err(invalid(
            &certificate.path.display().to_string(),
            &"it holds no certificate",
        ));
    }
    // Old keys are encrypted inside of an ordinary section, new ones have a section of their own.
    let text = String::from_utf8_lossy(&key.bytes);
    if text.contains("Proc-Type: 4,ENCRYPTED") || text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        let what = "it is encrypted, which is not supported; decrypt it with 'openssl pkey'";
        return Err(invalid(&path, &what));
    }
    let der = PrivateKeyDer::from_pem_slice(&key.bytes)
        .map_err(|_| invalid(&path, &"it holds no private key"))?;
    let signer = ring::sign::any_supported_type(&der)
        .map_err(|_| invalid(&path, &"it holds a private key of no known kind"))?;
    let key = CertifiedKey::new(chain, signer);
    match key.keys_match() {
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let what = format!("it is not the key of {}", certificate.path.display());
            Err(invalid(&path, &what))
        }
        // The engine judges what is unusual about a certificate; it is only handed over here.
        _ => Ok(key),
    }
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(&pem.bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(&pem.path.display().to_string(), &error))
}

fn invalid(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Connect, format!("tls: {what}: {why}"))
}

/// Takes every certificate, whoever signed it and whomever it is for: `--tls` without `--tlsverify`. What is signed
/// with its key is still checked, so whoever shows the certificate has the key.
#[derive(Debug)]
struct AcceptsAnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptsAnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
