//! What went wrong with an encrypted connection, in words for the log. Nothing that the peer sent is among them.

use std::borrow::Cow;
use std::io;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as Tls};

/// A failed handshake.
pub(super) fn of_handshake(error: &io::Error) -> Cow<'static, str> {
    match of_tls(error) {
        Some(Tls::InvalidMessage(_)) => "what followed is no TLS handshake".into(),
        Some(error) => text(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "the client ended it half-way".into(),
        None => error.to_string().into(),
    }
}

/// A connection that failed after its handshake; any error of a plain one.
pub(super) fn of_connection(error: &io::Error) -> Cow<'static, str> {
    match of_tls(error) {
        Some(error) => text(error),
        None => error.to_string().into(),
    }
}

fn of_tls(error: &io::Error) -> Option<&Tls> {
    error.get_ref()?.downcast_ref()
}

fn text(error: &Tls) -> Cow<'static, str> {
    match error {
        Tls::NoCertificatesPresented => "the client showed no certificate, which tls-client-auth requires".into(),
        Tls::InvalidCertificate(why) => format!("the client's certificate is refused: {}", certificate(why)).into(),
        Tls::AlertReceived(alert) => given_up(*alert),
        Tls::InvalidMessage(_) => "what came is no TLS record".into(),
        Tls::PeerIncompatible(_) => "the client and this server have no version or cipher of TLS in common".into(),
        Tls::DecryptError => "a TLS record that does not decrypt".into(),
        Tls::PeerSentOversizedRecord => "a TLS record that is too long".into(),
        Tls::PeerMisbehaved(_) | Tls::InappropriateMessage { .. } | Tls::InappropriateHandshakeMessage { .. } => {
            "the client does not keep to the rules of TLS".into()
        }
        _ => "TLS failed".into(),
    }
}

fn certificate(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::UnknownIssuer => "no authority in tls-client-ca signed it",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "it is not for clients",
        CertificateError::BadEncoding => "it cannot be read",
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::Revoked => "it is revoked",
        CertificateError::UnhandledCriticalExtension => "it asks for what is not known here",
        _ => "it does not verify",
    }
}

/// The alerts of RFC 8446, section 6.2, that a client may send while it gets to know a server.
fn given_up(alert: AlertDescription) -> Cow<'static, str> {
    let why = match alert {
        AlertDescription::UnknownCA => {
            return "the client does not trust the authority that signed our certificate".into();
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown => "it does not like our certificate",
        AlertDescription::CertificateExpired => "our certificate has expired",
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => "it and this server have no version or cipher in common",
        AlertDescription::UserCanceled => "it was told to",
        other => return format!("the client gave up, with TLS alert {}", u8::from(other)).into(),
    };
    format!("the client gave up: {why}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::rustls::pki_types::UnixTime;
    use tokio_rustls::rustls::{InvalidMessage, PeerIncompatible};

    #[test]
    fn no_text_shows_the_inside_of_a_library() {
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1));
        let expired = CertificateError::ExpiredContext { time, not_after: time };
        for error in [
            Tls::InvalidCertificate(expired),
            Tls::InvalidCertificate(CertificateError::UnknownIssuer),
            Tls::InvalidMessage(InvalidMessage::InvalidContentType),
            Tls::PeerIncompatible(PeerIncompatible::Tls12NotOffered),
            Tls::AlertReceived(AlertDescription::CertificateExpired),
            Tls::AlertReceived(AlertDescription::from(200)),
            Tls::General("path/of/a/file.rs".into()),
        ] {
            let error = io::Error::other(error);
            for said in [of_handshake(&error), of_connection(&error)] {
                let inside = ["::", "{", "Context", "Unknown", "Invalid", "Tls12", ".rs"];
                assert!(!inside.iter().any(|word| said.contains(word)), "{said}");
            }
        }
    }
}
