//! The other end of an encrypted connection, with the certificates that `make certs` made.

use super::DEADLINE;
use super::peer::Peer;
use calculate::wire::Encoding;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, ServerConfig, StreamOwned,
    SupportedProtocolVersion,
};

/// What a TLS client is told.
#[derive(Clone, Copy)]
pub struct Client {
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// The certificate that it shows.
    pub certificate: Option<&'static str>,
    pub server_name: &'static str,
}

pub type TlsPeer = Peer<StreamOwned<ClientConnection, TcpStream>>;

impl Default for Client {
    fn default() -> Self {
        Client { versions: rustls::ALL_VERSIONS, certificate: None, server_name: "localhost" }
    }
}

impl Client {
    pub fn showing(certificate: &'static str) -> Client {
        Client { certificate: Some(certificate), ..Client::default() }
    }

    /// Connects and makes the handshake.
    pub fn connect(self, address: SocketAddr, encoding: Encoding) -> io::Result<TlsPeer> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        Ok(Peer::over(self.over(stream)?, encoding))
    }

    /// Makes the handshake over a stream that is there.
    pub fn over<S: Read + Write>(self, stream: S) -> io::Result<StreamOwned<ClientConnection, S>> {
        let shown = self.certificate.map(|name| (pem(name), key(name)));
        self.handshake(stream, shown)
    }

    /// As [`Client::over`], with a certificate that `make certs` did not make.
    pub fn over_showing<S: Read + Write>(
        self,
        stream: S,
        certificate: &Path,
        key: &Path,
    ) -> io::Result<StreamOwned<ClientConnection, S>> {
        self.handshake(stream, Some((certificate.to_owned(), key.to_owned())))
    }

    fn handshake<S: Read + Write>(
        self,
        mut stream: S,
        shown: Option<(PathBuf, PathBuf)>,
    ) -> io::Result<StreamOwned<ClientConnection, S>> {
        let name = ServerName::try_from(self.server_name).expect("a name");
        let mut connection = ClientConnection::new(Arc::new(self.config(shown)), name).expect("a client");
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }

    fn config(self, shown: Option<(PathBuf, PathBuf)>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(pem("ca")).expect("make certs")).expect("a CA");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(self.versions)
            .expect("versions")
            .with_root_certificates(roots);
        match shown {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_file(certificate).expect("make certs")];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).expect("a key")).expect("a pair")
            }
        }
    }
}

impl TlsPeer {
    /// The certificate that the server showed.
    pub fn server_certificate(&self) -> Vec<u8> {
        self.stream.conn.peer_certificates().expect("shown")[0].to_vec()
    }
}

/// A server that shows a certificate of `make certs`, in some versions of TLS.
pub fn server(certificate: &str, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let builder = server_builder(versions).with_no_client_auth();
    builder.with_single_cert(chain(certificate), private_key(certificate)).expect("a pair")
}

/// A server that wants a client's certificate besides, of the authority `ca`.
pub fn server_for_known_clients(versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(chain("ca").remove(0)).expect("a CA");
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider())).build();
    let builder = server_builder(versions).with_client_cert_verifier(verifier.expect("a verifier"));
    builder.with_single_cert(chain("server"), private_key("server")).expect("a pair")
}

pub fn server_builder(
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
}

fn chain(name: &str) -> Vec<CertificateDer<'static>> {
    vec![CertificateDer::from_pem_file(pem(name)).expect("make certs")]
}

fn private_key(name: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(key(name)).expect("make certs")
}

/// A certificate of `make certs`, in binary.
pub fn certificate(name: &str) -> Vec<u8> {
    CertificateDer::from_pem_file(pem(name)).expect("make certs").to_vec()
}

/// The file of a certificate.
pub fn pem(name: &str) -> PathBuf {
    folder().join(format!("{name}.pem"))
}

/// The file of a certificate's key.
pub fn key(name: &str) -> PathBuf {
    folder().join(format!("{name}.key"))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/certs")
}

/// The arguments of `calculate serve` for a mode and a certificate.
pub fn flags(mode: &str, certificate: &str) -> Vec<String> {
    let file = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
    let flags = ["--tls", mode, "--tls-certificate", &file(pem(certificate)), "--tls-key", &file(key(certificate))];
    flags.map(str::to_owned).to_vec()
}
