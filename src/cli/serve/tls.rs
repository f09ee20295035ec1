//! The flags of `calculate serve` that say how connections are encrypted.

use super::super::seconds;
use super::default;
use crate::config::{ClientAuth, Tls, TlsMode};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Encryption")]
pub(super) struct TlsFlags {
    /// Encryption: never, as each peer likes, or always
    #[arg(long, env = "CALCULATE_TLS", default_value = "off")]
    tls: TlsArg,
    /// The server's certificate and its chain, PEM; read anew when it changes, and on SIGHUP
    #[arg(long, value_name = "FILE", env = "CALCULATE_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", env = "CALCULATE_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Who signs clients' certificates, PEM
    #[arg(long, value_name = "FILE", env = "CALCULATE_TLS_CLIENT_CA")]
    tls_client_ca: Option<PathBuf>,
    /// Whether a client must show a certificate [default: require when there is a client CA]
    #[arg(long, env = "CALCULATE_TLS_CLIENT_AUTH")]
    tls_client_auth: Option<AuthArg>,
    /// A handshake must be done in this time
    #[arg(long, value_name = "SECONDS", env = "CALCULATE_TLS_HANDSHAKE_TIMEOUT", value_parser = seconds, default_value = "10")]
    tls_handshake_timeout: Duration,
    /// Handshakes in progress at a time; others wait
    #[arg(long, value_name = "N", env = "CALCULATE_MAX_HANDSHAKES", default_value_t = default().tls.handshakes)]
    max_handshakes: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TlsArg {
    Off,
    Allow,
    Require,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AuthArg {
    Off,
    Request,
    Require,
}

impl From<TlsFlags> for Tls {
    fn from(flags: TlsFlags) -> Tls {
        Tls {
            mode: match flags.tls {
                TlsArg::Off => TlsMode::Off,
                TlsArg::Allow => TlsMode::Allow,
                TlsArg::Require => TlsMode::Require,
            },
            certificate: flags.tls_certificate,
            key: flags.tls_key,
            client_ca: flags.tls_client_ca,
            client_auth: flags.tls_client_auth.map(|auth| match auth {
                AuthArg::Off => ClientAuth::Off,
                AuthArg::Request => ClientAuth::Request,
                AuthArg::Require => ClientAuth::Require,
            }),
            handshake_timeout: flags.tls_handshake_timeout,
            handshakes: flags.max_handshakes,
        }
    }
}
