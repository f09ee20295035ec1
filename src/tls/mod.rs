//! TLS of whoever connects, to a server or to a registry: whom it trusts, what it shows of itself, and which name it checks.
//!
//! `stream` is a connection under TLS, `fault` says in words what can go wrong with it.

pub(crate) mod fault;
pub(crate) mod stream;

use crate::pem;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, ConfigBuilder, RootCertStore};

/// TLS 1.2 or 1.3 with a server whose certificate is checked, its name included: there is no way to turn that off.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use calculate::client::{Client, Options, Tls};
/// let tls = Tls::with_ca("ca.pem")?.certificate("alice.pem", "alice.key")?;
/// let options = Options { tls: Some(tls), ..Options::default() };
/// let client = Client::connect("calculate.example:9090".parse()?, options).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tls {
    roots: Arc<RootCertStore>,
    /// Made of the roots and, where there is one, the client's certificate. It remembers sessions, to resume them.
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    /// What it was made of, for whoever reads it anew.
    files: Files,
}

/// The PEM files that were named; without a `ca` it is the system's authorities.
#[derive(Clone, Debug, Default)]
struct Files {
    ca: Option<PathBuf>,
    /// The certificate's and the key's.
    identity: Option<(PathBuf, PathBuf)>,
}

/// TLS that cannot be set up so: the text says what is wrong with which setting and file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTls(String);

impl Tls {
    /// Trusts the authorities that the system trusts. `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    ///
    /// # Errors
    /// The system has none.
    pub fn system() -> Result<Tls, InvalidTls> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(InvalidTls(format!("tls: the system trusts no authority{why}; give a file of some (ca)")));
        }
        Tls::trusting(roots, None)
    }

    /// Trusts the authorities of a PEM file, and no others.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold certificates of authorities.
    pub fn with_ca(file: impl AsRef<Path>) -> Result<Tls, InvalidTls> {
        let file = file.as_ref();
        let wrong = |why: String| invalid("ca", file, &why);
        let mut roots = RootCertStore::empty();
        for certificate in pem::certificates(file).map_err(wrong)? {
            roots.add(certificate).map_err(|_| wrong("it holds a certificate that is broken".into()))?;
        }
        Tls::trusting(roots, Some(file.into()))
    }

    /// Shows the server a certificate, PEM with its chain, that belongs to a private key, PEM and unencrypted: mTLS.
    ///
    /// # Errors
    /// A file cannot be read or does not hold what it should, or the two do not belong together.
    pub fn certificate(self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Tls, InvalidTls> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        let chain = pem::certificates(certificate).map_err(|why| invalid("certificate", certificate, &why))?;
        let private_key = pem::private_key(key).map_err(|why| invalid("key", key, &why))?;
        let config = builder(&self.roots)?.with_client_auth_cert(chain, private_key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => invalid(
                "key",
                key,
                &format!("it is not the key of the certificate in {:?}", certificate.display().to_string()),
            ),
            rustls::Error::InvalidCertificate(_) => {
                invalid("certificate", certificate, "it holds a certificate that is broken")
            }
            error => invalid("key", key, &format!("it cannot be used ({error})")),
        })?;
        let files = Files { identity: Some((certificate.into(), key.into())), ..self.files };
        Ok(Tls { config: Arc::new(config), files, ..self })
    }

    /// Checks the server's certificate against `name`, a host's name or an IP address, instead of the target's host.
    ///
    /// # Errors
    /// It is no name that a certificate can have.
    pub fn server_name(self, name: &str) -> Result<Tls, InvalidTls> {
        Ok(Tls { server_name: Some(checked(name)?), ..self })
    }

    /// The name that the certificate of the server at `target` is checked against: the one given, or its host.
    ///
    /// # Errors
    /// There is none: none was given, and a unix socket has no host, or it is no name that a certificate can have.
    pub(crate) fn name_of(
        &self,
        target: &impl fmt::Display,
        host: Option<&str>,
    ) -> Result<ServerName<'static>, InvalidTls> {
        match (&self.server_name, host) {
            (Some(name), _) => Ok(name.clone()),
            // Without the zone of a link-local address (RFC 4007).
            (None, Some(host)) => checked(host.split('%').next().unwrap_or(host)),
            (None, None) => Err(InvalidTls(format!(
                "tls: {target} has no host that the certificate could be for; give the server name"
            ))),
        }
    }

    /// Of the files of some authorities, if not the system's, and of a certificate and its key, if it is to show one.
    ///
    /// # Errors
    /// As [`Tls::system`], [`Tls::with_ca`] and [`Tls::certificate`].
    pub(crate) fn of_files(ca: Option<&Path>, identity: Option<(&Path, &Path)>) -> Result<Tls, InvalidTls> {
        let tls = ca.map_or_else(Tls::system, Tls::with_ca)?;
        match identity {
            Some((certificate, key)) => tls.certificate(certificate, key),
            None => Ok(tls),
        }
    }

    /// The same, of what its files hold now.
    ///
    /// # Errors
    /// As when it was made.
    pub(crate) fn anew(&self) -> Result<Tls, InvalidTls> {
        let tls = Tls::of_files(self.ca_file(), self.identity_files())?;
        Ok(Tls { server_name: self.server_name.clone(), ..tls })
    }

    /// The file of the authorities; `None` for the system's.
    pub(crate) fn ca_file(&self) -> Option<&Path> {
        self.files.ca.as_deref()
    }

    /// The files of the certificate and of its key.
    pub(crate) fn identity_files(&self) -> Option<(&Path, &Path)> {
        self.files.identity.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()))
    }

    /// Whether the name that is checked is not that of the host.
    pub(crate) fn has_server_name(&self) -> bool {
        self.server_name.is_some()
    }

    fn trusting(roots: RootCertStore, ca: Option<PathBuf>) -> Result<Tls, InvalidTls> {
        let roots = Arc::new(roots);
        let config = Arc::new(builder(&roots)?.with_no_client_auth());
        Ok(Tls { roots, config, server_name: None, files: Files { ca, identity: None } })
    }

    /// One side of a handshake.
    fn begin(&self, name: ServerName<'static>) -> Result<ClientConnection, rustls::Error> {
        ClientConnection::new(self.config.clone(), name)
    }

    /// Whether it has a certificate to show.
    fn has_certificate(&self) -> bool {
        self.config.client_auth_cert_resolver.has_certs()
    }
}

/// The provider is named here: another library in the process may bring another, and then rustls picks none.
fn builder(
    roots: &Arc<RootCertStore>,
) -> Result<ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, InvalidTls> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map(|builder| builder.with_root_certificates(roots.clone()))
        .map_err(|error| InvalidTls(format!("tls: {error}")))
}

fn checked(name: &str) -> Result<ServerName<'static>, InvalidTls> {
    ServerName::try_from(name).map(|name| name.to_owned()).map_err(|_| {
        InvalidTls(format!(
            "tls: the server name {name:?} is neither a DNS name nor an IP address; write it without port and brackets"
        ))
    })
}

fn invalid(setting: &str, file: &Path, why: &str) -> InvalidTls {
    InvalidTls(format!("tls: the {setting} file {:?}: {why}", file.display().to_string()))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.roots.len())
            .field("certificate", &self.has_certificate())
            .field("server_name", &self.server_name)
            .finish()
    }
}

impl fmt::Display for InvalidTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidTls {}
