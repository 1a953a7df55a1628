//! Certificate authorities and certificates made for one test process.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// An authority that nobody else knows.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in the PEM format.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate alone, without what leads to its authority.
    pub certificate: String,
    /// Its private key: PKCS #8, of an elliptic curve.
    pub key: String,
}

impl Authority {
    /// A new authority.
    ///
    /// # Panics
    /// If the machine has no randomness.
    pub fn new(name: &str) -> Authority {
        let mut parameters = parameters(name, &[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("a certificate");
        Authority { issuer }
    }

    /// The authority's own certificate: what `ca.pem` holds.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A server's certificate for these names, which may be addresses.
    pub fn server(&self, names: &[&str]) -> Certificate {
        self.sign(
            parameters("server", names),
            ExtendedKeyUsagePurpose::ServerAuth,
        )
    }

    /// A server's certificate that was valid once.
    pub fn expired_server(&self, names: &[&str]) -> Certificate {
        let mut parameters = parameters("server", names);
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(2021, 1, 1);
        self.sign(parameters, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client's certificate.
    pub fn client(&self) -> Certificate {
        self.sign(
            parameters("client", &[]),
            ExtendedKeyUsagePurpose::ClientAuth,
        )
    }

    fn sign(
        &self,
        mut parameters: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
    ) -> Certificate {
        parameters.extended_key_usages = vec![usage];
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key");
        let signed = parameters
            .signed_by(&key, &self.issuer)
            .expect("a certificate");
        Certificate {
            certificate: signed.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Certificate {
    /// Makes `cert.pem`, `key.pem` and the authority's `ca.pem` in a directory, as `DOCKER_CERT_PATH` names one.
    ///
    /// # Panics
    /// If they can not be written.
    pub fn write(&self, directory: &Path, authority: &Authority) -> PathBuf {
        std::fs::create_dir_all(directory).expect("a directory");
        for (name, content) in [
            ("cert.pem", &self.certificate),
            ("key.pem", &self.key),
            ("ca.pem", &authority.certificate()),
        ] {
            std::fs::write(directory.join(name), content).expect("a file");
        }
        directory.to_owned()
    }
}

fn parameters(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names and addresses");
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}
