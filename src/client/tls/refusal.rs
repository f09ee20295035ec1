//! Why there is no TLS with a server, or no more, in words: which check failed, and what to do.

use crate::client::error::one_line;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use tokio_rustls::rustls;
use tokio_rustls::rustls::{AlertDescription as Alert, CertificateError, ClientConnection};

/// What TLS found wrong. It travels in an `io::Error`, and prints as `what; advice`.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What is wrong, where `it` is the server.
    pub(crate) what: String,
    /// What to do.
    pub(crate) advice: &'static str,
    /// The server does not take this client, and took nothing from it: another try would end alike.
    pub(crate) is_final: bool,
    source: rustls::Error,
}

impl Refusal {
    /// Of what `connection` came to. `has_certificate`: the client had one to show.
    pub(super) fn new(source: rustls::Error, connection: &ClientConnection, has_certificate: bool) -> Refusal {
        let said_hello = connection.protocol_version().is_some();
        let (what, advice) = match &source {
            rustls::Error::InvalidCertificate(error) => certificate(error),
            rustls::Error::AlertReceived(alert) => match alert {
                _ if refuses_certificate(*alert, said_hello) => return Refusal::of_client(source, has_certificate),
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity => nothing_in_common(),
                Alert::UnrecognisedName => ("it has no certificate for this name".into(), NAME),
                alert => (format!("it ended TLS with the alert {alert:?}"), LOG),
            },
            rustls::Error::PeerIncompatible(_) => nothing_in_common(),
            rustls::Error::InvalidMessage(_) if !said_hello => {
                ("it does not speak TLS on this port".into(), "connect without TLS, or to the port where it does")
            }
            error => (format!("TLS failed: {}", one_line(&error.to_string())), LOG),
        };
        Refusal { what, advice, is_final: false, source }
    }

    fn of_client(source: rustls::Error, has_certificate: bool) -> Refusal {
        let (what, advice) = match has_certificate {
            false => ("it wants a client certificate", "give one as tls-certificate and tls-key"),
            true => (
                "it refused the client certificate",
                "is it in time, and signed by an authority that the server trusts?",
            ),
        };
        Refusal { what: what.into(), advice, is_final: true, source }
    }

    /// The one inside `error`, if that is what it is.
    pub(crate) fn inside(error: &io::Error) -> Option<&Refusal> {
        error.get_ref().and_then(|error| error.downcast_ref())
    }
}

/// Whether an alert is about the certificate that the client showed, or did not show.
fn refuses_certificate(alert: Alert, said_hello: bool) -> bool {
    match alert {
        Alert::CertificateRequired
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => true,
        // Of TLS 1.2, where version and cipher are agreed by then.
        Alert::HandshakeFailure => said_hello,
        _ => false,
    }
}

fn certificate(error: &CertificateError) -> (String, &'static str) {
    use CertificateError as Bad;
    let (what, advice) = match error {
        Bad::Expired | Bad::ExpiredContext { .. } => ("its certificate has expired", "the server needs a new one"),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            ("its certificate is not valid yet", "is the clock of this machine right?")
        }
        // A bad signature is what an authority of the same name with another key comes to.
        Bad::UnknownIssuer | Bad::BadSignature => (
            "its certificate is signed by an authority that is not trusted",
            "give that authority's certificate as tls-ca",
        ),
        Bad::Revoked => ("its certificate was revoked", "the server needs a new one"),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => {
            ("its certificate is not made for servers", "the server needs another")
        }
        Bad::NotValidForNameContext { expected, presented } => {
            return (format!("its certificate is for {}, not for {}", names(presented), expected.to_str()), NAME);
        }
        Bad::Other(error) if error.to_string().contains("CaUsedAsEndEntity") => {
            ("its certificate is that of an authority", "the server needs one of its own, signed by it")
        }
        error => return (format!("its certificate is not usable: {}", one_line(&error.to_string())), LOG),
    };
    (what.into(), advice)
}

/// The names in a certificate, which come as `DnsName("localhost")` and `IpAddress(0::1)`.
fn names(presented: &[String]) -> String {
    const MOST: usize = 8;
    let name = |text: &String| {
        let (_, inner) = text.split_once('(').unwrap_or(("", text));
        let inner = inner.trim_end_matches(')').trim_matches('"');
        inner.parse().map_or_else(|_| one_line(inner), |address: IpAddr| address.to_string())
    };
    match presented {
        [] => "no name".into(),
        names if names.len() > MOST => format!("{}, …", names[..MOST].iter().map(name).collect::<Vec<_>>().join(", ")),
        names => names.iter().map(name).collect::<Vec<_>>().join(", "),
    }
}

fn nothing_in_common() -> (String, &'static str) {
    ("it has no TLS version or cipher in common with this client".into(), "it must offer TLS 1.2 or 1.3")
}

const NAME: &str = "connect by a name that it is for, or give that as tls-server-name";

const LOG: &str = "the server's log may say more";

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.advice)
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, refusal)
    }
}
