//! What can go wrong with TLS, in words: each goes on a sentence that names the server, and says what to do.

use crate::error::in_words;
use crate::one_line::one_line;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use tokio_rustls::rustls;
use tokio_rustls::rustls::{AlertDescription as Alert, CertificateError};

/// TLS with the server failed. It travels in an `io::Error`.
#[derive(Debug)]
pub(crate) struct TlsFault {
    text: String,
    /// TLS was never agreed on, so that no call was carried out, and another try would end alike.
    pub(crate) is_refusal: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What is known of a handshake, beside the error that it came to.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// What the server's certificate must be for.
    pub(super) name: &'a str,
    /// The server has chosen version and cipher.
    pub(super) greeted: bool,
    /// There is a client certificate to show.
    pub(super) has_certificate: bool,
}

impl TlsFault {
    /// The one inside `error`, if that is what it is.
    pub(crate) fn inside(error: &io::Error) -> Option<&TlsFault> {
        error.get_ref().and_then(|error| error.downcast_ref())
    }

    /// The handshake failed.
    pub(super) fn handshake(error: rustls::Error, known: &Known<'_>) -> TlsFault {
        let text = match &error {
            rustls::Error::InvalidCertificate(why) => format!("its certificate {}", certificate(why)),
            rustls::Error::PeerIncompatible(why) => nothing_in_common(&spaced(why)),
            rustls::Error::InvalidMessage(_) if !known.greeted => format!("it does not speak TLS; {PLAIN}"),
            rustls::Error::AlertReceived(Alert::UnrecognisedName) => {
                format!("it has no certificate for {}; {NAME}", known.name)
            }
            rustls::Error::AlertReceived(alert) if !known.greeted && SAY_NOTHING_IN_COMMON.contains(alert) => {
                nothing_in_common(&spaced(alert))
            }
            // How TLS 1.2 says it.
            rustls::Error::AlertReceived(Alert::HandshakeFailure) if known.greeted => {
                certificate_refused(Alert::CertificateRequired, known.has_certificate)
            }
            rustls::Error::AlertReceived(alert) if REFUSE_CERTIFICATES.contains(alert) => {
                certificate_refused(*alert, known.has_certificate)
            }
            error => format!("the handshake failed ({})", reason(error)),
        };
        TlsFault { text, is_refusal: true, source: Some(error.into()) }
    }

    /// TLS failed after the handshake. Under TLS 1.3 this is also how a server refuses a certificate.
    pub(super) fn broken(error: rustls::Error, has_certificate: bool) -> TlsFault {
        let refusal = match &error {
            rustls::Error::AlertReceived(alert) if REFUSE_CERTIFICATES.contains(alert) => {
                Some(certificate_refused(*alert, has_certificate))
            }
            _ => None,
        };
        let is_refusal = refusal.is_some();
        let text = refusal.unwrap_or_else(|| format!("TLS failed: {}", reason(&error)));
        TlsFault { text, is_refusal, source: Some(error.into()) }
    }

    /// The connection ended in the handshake, which the server had `begun` or not.
    pub(super) fn hung_up(error: io::Error, begun: bool) -> TlsFault {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        let text = match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => match begun {
                true => "it closed the connection during the TLS handshake".into(),
                false => format!("it closed the connection as TLS began, so it may not speak TLS; {PLAIN}"),
            },
            _ => format!("the handshake failed ({})", in_words(&error)),
        };
        TlsFault { text, is_refusal: true, source: Some(error.into()) }
    }

    /// Data came before any call.
    pub(super) fn spoke_first() -> TlsFault {
        let text = "it sent data before it was asked for any; is it a Thrift server?".into();
        TlsFault { text, is_refusal: true, source: None }
    }

    /// The connection ended, but not the TLS in it (RFC 8446, 6.1).
    pub(super) fn cut() -> TlsFault {
        TlsFault { text: "cut off without a TLS close_notify".into(), is_refusal: false, source: None }
    }
}

/// Alerts (RFC 8446, 6.2) by which a server refuses a certificate.
const REFUSE_CERTIFICATES: [Alert; 9] = [
    Alert::BadCertificate,
    Alert::UnsupportedCertificate,
    Alert::CertificateRevoked,
    Alert::CertificateExpired,
    Alert::CertificateUnknown,
    Alert::UnknownCA,
    Alert::AccessDenied,
    Alert::DecryptError,
    Alert::CertificateRequired,
];

const SAY_NOTHING_IN_COMMON: [Alert; 3] =
    [Alert::HandshakeFailure, Alert::ProtocolVersion, Alert::InsufficientSecurity];

/// What to do about a port that does not speak TLS.
pub(crate) const PLAIN: &str = "for a plain Thrift port, connect without TLS";

/// What to do about a certificate that is another host's.
pub(crate) const NAME: &str = "correct the address, or give the server name";

fn nothing_in_common(reason: &str) -> String {
    format!("no TLS version or cipher in common ({reason}); this client speaks TLS 1.2 and 1.3")
}

fn certificate_refused(alert: Alert, has_certificate: bool) -> String {
    match alert {
        _ if !has_certificate => "it wants a client certificate and none was given; give certificate and key".into(),
        Alert::CertificateRequired => {
            "it wants a client certificate, and was shown none that it takes; is its authority the right one?".into()
        }
        alert => format!(
            "it refused the client certificate ({}); is it valid, and from an authority it trusts?",
            spaced(&alert)
        ),
    }
}

/// What is wrong with the server's certificate.
fn certificate(error: &CertificateError) -> String {
    use CertificateError as Bad;
    let text = match error {
        Bad::Expired | Bad::ExpiredContext { .. } => {
            "has expired; the server needs a new one (or is this machine's clock wrong?)"
        }
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "is not valid yet; is this machine's clock right?",
        // A bad signature is what an authority of the same name with another key comes to.
        Bad::UnknownIssuer | Bad::BadSignature => {
            "is signed by an authority that is not trusted; if it should be, give the authority's file (ca)"
        }
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => {
            "is not made for servers; the server needs another one"
        }
        // webpki's name for it is all that rustls passes on.
        Bad::Other(error) if error.to_string().contains("CaUsedAsEndEntity") => {
            "is that of an authority; the server needs one of its own, signed by it"
        }
        Bad::NotValidForNameContext { expected, presented } => {
            return format!("is for {}, not for {}; {NAME}", names(presented), expected.to_str());
        }
        error => return format!("is not accepted ({})", one_line(&error.to_string())),
    };
    text.into()
}

/// The names in a certificate, which come as `DnsName("localhost")` and `IpAddress(0::1)`.
fn names(presented: &[String]) -> String {
    let name = |text: &String| {
        let (_, inner) = text.split_once('(').unwrap_or(("", text));
        let inner = inner.trim_end_matches(')').trim_matches('"');
        inner.parse().map_or_else(|_| inner.into(), |address: IpAddr| address.to_string())
    };
    match presented {
        [] => "another name".into(),
        presented => one_line(&presented.iter().map(name).collect::<Vec<_>>().join(", ")),
    }
}

fn reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::AlertReceived(alert) => spaced(alert),
        error => one_line(&error.to_string()),
    }
}

/// `HandshakeFailure` as `handshake failure`.
fn spaced(name: &dyn fmt::Debug) -> String {
    let mut text = String::new();
    for c in format!("{name:?}").chars() {
        if c.is_ascii_uppercase() && text.ends_with(|last: char| last.is_ascii_lowercase()) {
            text.push(' ');
        }
        text.push(c);
    }
    text.to_lowercase()
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for TlsFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<TlsFault> for io::Error {
    fn from(fault: TlsFault) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }
}
