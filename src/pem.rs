//! Certificates and private keys out of PEM files (RFC 7468), and into PEM. An error is what is wrong with the file, in words.

use crate::error::in_words;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::path::Path;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All certificates of a file, in its order; at least one.
///
/// # Errors
/// The file cannot be read, is broken, or holds none.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(found) if !found.is_empty() => Ok(found),
        Err(Error::Io(error)) => Err(unreadable(&error)),
        _ => Err("it does not hold certificates in PEM form".into()),
    }
}

/// The first private key of a file.
///
/// # Errors
/// The file cannot be read, is broken, or holds none that is not encrypted.
pub(crate) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        Error::Io(error) => unreadable(&error),
        _ if is_encrypted(file) => "it is encrypted; decrypt it, as with 'openssl pkey'".into(),
        _ => "it does not hold a private key in PEM form".into(),
    })
}

/// Certificates as the text of a file that holds them.
pub(crate) fn certificates_text<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'static>>) -> String {
    certificates.into_iter().map(|certificate| text("CERTIFICATE", certificate)).collect()
}

/// A private key as the text of a file that holds it.
pub(crate) fn private_key_text(key: &PrivateKeyDer<'_>) -> String {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    text(label, key.secret_der())
}

fn text(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
}

fn unreadable(error: &std::io::Error) -> String {
    format!("it cannot be read ({})", in_words(error))
}

/// In the label of a PKCS#8 file, or in a header of an older one.
fn is_encrypted(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.contains("ENCRYPTED"))
}
