//! TLS to ZooKeeper: what its library is told, and why a handshake failed, which it does not tell.

use super::Location;
use super::location::host_and_port;
use crate::error::Error;
use crate::pem;
use crate::socket::Socket;
use crate::tls::fault::{NAME, PLAIN, TlsFault};
use crate::tls::stream::TlsStream;
use crate::tls::{InvalidTls, Tls};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use zookeeper_client::TlsOptions;

/// Checks that each server of a registry has a name that its certificate can be for.
///
/// # Errors
/// Names the host that is none; or a server name was given, which is not for registries.
pub(super) fn check(location: &Location, tls: &Tls) -> Result<(), Error> {
    if tls.has_server_name() {
        return Err(Error::setting("zk-tls: a registry's certificate must be for its host; leave the server name out"));
    }
    for text in location.hosts().split(',') {
        let (host, _) = host_and_port(text).map_err(|why| Error::setting(format!("{location}: {why}")))?;
        // The library would panic.
        if ServerName::try_from(host.as_str()).is_err() {
            return Err(Error::setting(format!(
                "zk-tls: the registry's host {host:?} is neither a DNS name nor an IP address that a certificate can be for"
            )));
        }
    }
    Ok(())
}

/// What the files hold now, as the library takes it.
///
/// # Errors
/// A file is not what it was any more.
pub(super) fn options(tls: &Tls) -> Result<TlsOptions, Error> {
    // The library asks for the process's provider, and there is none by itself where two are compiled in. Whoever installed
    // another before wanted that.
    let _ = ring::default_provider().install_default();
    let tls = tls.anew().map_err(|error| wrong(&error))?;
    let read = |why: String| Error::setting(format!("zk-tls: {why}"));
    let authorities = match tls.ca_file() {
        Some(file) => pem::certificates(file).map_err(read)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let options = TlsOptions::new().with_pem_ca(&pem::certificates_text(&authorities));
    let Some((certificate, key)) = tls.identity_files() else { return options.map_err(refused) };
    let chain = pem::certificates_text(&pem::certificates(certificate).map_err(read)?);
    let key = pem::private_key_text(&pem::private_key(key).map_err(read)?);
    options.and_then(|options| options.with_pem_identity(&chain, &key)).map_err(refused)
}

/// Makes a handshake with each server in turn, until one fails: says why.
pub(super) async fn fault(location: &Location, tls: &Tls) -> Option<Error> {
    for text in location.hosts().split(',') {
        if let Ok(Some(why)) = timeout(LONGEST, refusal(text, tls)).await {
            return Some(Error::registry(format!("cannot speak TLS with the registry at {text}: {why}")));
        }
    }
    None
}

async fn refusal(server: &str, tls: &Tls) -> Option<String> {
    let (host, port) = host_and_port(server).ok()?;
    let name = ServerName::try_from(host.clone()).ok()?;
    let socket = Socket::Tcp(TcpStream::connect((host.as_str(), port)).await.ok()?);
    let error = match TlsStream::handshake(socket, tls, name).await {
        Ok(stream) => refused_later(&stream).await,
        Err(error) => error,
    };
    let fault = TlsFault::inside(&error).filter(|fault| fault.is_refusal)?;
    Some(fault.to_string().replace(PLAIN, "for a plain port, leave zk-tls out").replace(NAME, "correct the address"))
}

/// Waits for what a server says of its own accord: under TLS 1.3 that is how it refuses a certificate.
async fn refused_later(stream: &TlsStream) -> io::Error {
    let mut received = Vec::new();
    loop {
        if let Err(error) = stream.readable().await {
            return error;
        }
        match stream.try_read(&mut received) {
            Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return error,
        }
    }
}

/// What is wrong with TLS as it was set for the registry.
fn wrong(error: &InvalidTls) -> Error {
    Error::setting(format!("zk-{error}"))
}

fn refused(fault: zookeeper_client::Error) -> Error {
    Error::setting(format!("zk-tls: {fault}"))
}

/// How long a server may take to refuse.
const LONGEST: Duration = Duration::from_secs(1);
