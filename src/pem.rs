//! Certificates and private keys out of PEM files (RFC 7468). An error is what is wrong with the file, in words.

use std::path::Path;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All certificates of a file, in its order; at least one.
///
/// # Errors
/// The file cannot be read, is broken, or holds none.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(found) if found.is_empty() => Err("it holds no certificate in PEM form".into()),
        Ok(found) => Ok(found),
        Err(error) => Err(in_words(&error, "certificate")),
    }
}

/// The first private key of a file.
///
/// # Errors
/// The file cannot be read, is broken, or holds none that is not encrypted.
pub(crate) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| in_words(&error, "unencrypted private key"))
}

/// Why a certificate and a key are no pair.
pub(crate) fn pair_in_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".into(),
        error => format!("it cannot be used: {error}"),
    }
}

fn in_words(error: &Error, what: &str) -> String {
    match error {
        Error::Io(error) => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
        Error::NoItemsFound => format!("it holds no {what} in PEM form"),
        _ => "it is no PEM file, or a broken one".into(),
    }
}
