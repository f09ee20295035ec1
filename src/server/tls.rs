//! TLS 1.2 and 1.3: the certificate that is shown, the handshake, and who its other side is.

use super::peer::{Identity, TlsSession};
use super::stream::{Counted, Socket};
use crate::config::{self, ClientAuth};
use crate::error::Error;
use crate::pem;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, io};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What handshakes are made with. The files' content can be exchanged while connections live: they keep what they have.
pub(super) struct Tls {
    settings: config::Tls,
    current: RwLock<Arc<ServerConfig>>,
    /// The bound on handshakes in progress.
    pub(super) handshakes: Semaphore,
}

impl Tls {
    /// Reads the files that the settings name.
    pub(super) fn load(settings: &config::Tls) -> Result<Tls, Error> {
        let current = RwLock::new(Arc::new(load(settings)?));
        Ok(Tls { settings: settings.clone(), current, handshakes: Semaphore::new(settings.handshakes) })
    }

    pub(super) fn settings(&self) -> &config::Tls {
        &self.settings
    }

    /// Reads the files again, for the handshakes to come. After an error all is as before.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let fresh = Arc::new(load(&self.settings)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Makes a handshake. The caller sees to its time and its place among the others.
    pub(super) async fn accept(&self, socket: Socket) -> io::Result<(TlsStream<Counted>, TlsSession)> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let stream = TlsAcceptor::from(current).accept(Counted::new(socket)).await?;
        let session = session(stream.get_ref().1);
        Ok((stream, session))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn load(settings: &config::Tls) -> Result<ServerConfig, Error> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else {
        return Err(Error::setting("tls needs tls-certificate and tls-key, PEM files"));
    };
    let chain = certificates("tls-certificate", certificate)?;
    let private_key = pem::private_key(key).map_err(|why| unreadable("tls-key", key, why))?;
    // The provider is named here: another library in the process may bring another, and then rustls picks none.
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(|error| Error::setting(format!("tls: {error}")))?
        .with_client_cert_verifier(verifier(settings, provider)?)
        .with_single_cert(chain, private_key)
        .map_err(|error| unreadable("tls-certificate and tls-key", certificate, pair_text(&error)))?;
    if let Ok(tickets) = ring::Ticketer::new() {
        // Resumption costs the client's memory, not ours.
        config.ticketer = tickets;
    }
    Ok(config)
}

fn verifier(
    settings: &config::Tls,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let (auth, Some(file)) = (settings.client_auth(), &settings.client_ca) else {
        return Ok(WebPkiClientVerifier::no_client_auth());
    };
    if auth == ClientAuth::Off {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    for certificate in certificates("tls-client-ca", file)? {
        roots.add(certificate).map_err(|error| unreadable("tls-client-ca", file, error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match auth {
        ClientAuth::Request => builder.allow_unauthenticated(),
        _ => builder,
    };
    builder.build().map_err(|error| unreadable("tls-client-ca", file, error.to_string()))
}

fn certificates(setting: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    pem::certificates(file).map_err(|why| unreadable(setting, file, why))
}

fn unreadable(setting: &str, file: &Path, why: String) -> Error {
    Error::setting(format!("{setting}: {}: {why}", file.display()))
}

fn pair_text(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".into(),
        error => error.to_string(),
    }
}

fn session(connection: &rustls::ServerConnection) -> TlsSession {
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let certificate = connection.peer_certificates().and_then(<[_]>::first);
    TlsSession { version, identity: certificate.map(|certificate| identity(certificate)) }
}

/// What a certificate that was verified says. One that cannot be parsed has a holder without a name.
fn identity(certificate: &[u8]) -> Identity {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Identity::default() };
    let common_name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(alternative) = extension.parsed_extension() {
            names.extend(alternative.general_names.iter().filter_map(name_text));
        }
    }
    Identity { common_name: common_name.map(str::to_owned), names }
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}
