//! How the client subcommands are told to encrypt.

use crate::client::{Target, Tls};
use clap::Args;
use std::error::Error;
use std::path::PathBuf;

/// Encryption; any of these flags turns it on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Encryption")]
pub(super) struct TlsArgs {
    /// Speak TLS; the server's certificate must be signed by an authority that the system trusts
    #[arg(long)]
    tls: bool,
    /// Speak TLS; the server's certificate must be signed by one of these authorities, PEM
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Show the server this certificate and its chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM, unencrypted
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// The name that the server's certificate must be for, instead of the server's host
    #[arg(long, value_name = "NAME")]
    tls_server_name: Option<String>,
}

impl TlsArgs {
    /// What is asked for, fit for `server`.
    ///
    /// # Errors
    /// A file or a name that is not what it should be: wrong usage.
    pub(super) fn tls(&self, server: &Target) -> Result<Option<Tls>, Box<dyn Error>> {
        if !self.is_wanted() {
            return Ok(None);
        }
        let mut tls =
            Tls::of_files(self.tls_ca.as_deref(), self.tls_certificate.as_deref().zip(self.tls_key.as_deref()))?;
        if let Some(name) = &self.tls_server_name {
            tls = tls.server_name(name)?;
        }
        if let Some(server) = server.one() {
            tls.name_of(server, server.host())?;
        }
        Ok(Some(tls))
    }

    fn is_wanted(&self) -> bool {
        let TlsArgs { tls, tls_ca, tls_certificate, tls_key, tls_server_name } = self;
        *tls || [tls_ca, tls_certificate, tls_key].iter().any(|file| file.is_some()) || tls_server_name.is_some()
    }
}
