//! How whoever speaks to ZooKeeper is told as whom, and how it is encrypted.

use crate::client::Tls;
use crate::config::Credentials;
use crate::error::Error;
use clap::Args;
use clap::builder::BoolishValueParser;
use std::path::PathBuf;

/// Credentials and encryption; any of the flags on TLS turns it on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct ZooKeeperArgs {
    /// Speak to ZooKeeper as this user, user:password; what it writes, others may then only read
    #[arg(long, value_name = "USER:PASSWORD", env = "CALCULATE_ZK_AUTH", hide_env_values = true)]
    zk_auth: Option<String>,
    /// Speak TLS to ZooKeeper; its certificate must be for its host, and signed by an authority that the system trusts
    #[arg(long, env = "CALCULATE_ZK_TLS", value_parser = BoolishValueParser::new())]
    zk_tls: bool,
    /// Speak TLS to ZooKeeper; its certificate must be signed by one of these authorities, PEM
    #[arg(long, value_name = "FILE", env = "CALCULATE_ZK_TLS_CA")]
    zk_tls_ca: Option<PathBuf>,
    /// Show ZooKeeper this certificate and its chain, PEM
    #[arg(long, value_name = "FILE", env = "CALCULATE_ZK_TLS_CERTIFICATE", requires = "zk_tls_key")]
    zk_tls_certificate: Option<PathBuf>,
    /// That certificate's private key, PEM, unencrypted
    #[arg(long, value_name = "FILE", env = "CALCULATE_ZK_TLS_KEY", requires = "zk_tls_certificate")]
    zk_tls_key: Option<PathBuf>,
}

impl ZooKeeperArgs {
    /// As whom.
    ///
    /// # Errors
    /// It is not of the form.
    pub(super) fn credentials(&self) -> Result<Option<Credentials>, Error> {
        self.zk_auth.as_deref().map(Credentials::parse).transpose()
    }

    /// The same as it was typed.
    pub(super) fn auth(&self) -> Option<String> {
        self.zk_auth.clone()
    }

    /// How it is encrypted; `None` when it is not.
    ///
    /// # Errors
    /// A file that is not what it should be.
    pub(super) fn tls(&self) -> Result<Option<Tls>, Error> {
        let identity = self.zk_tls_certificate.as_deref().zip(self.zk_tls_key.as_deref());
        if !self.zk_tls && self.zk_tls_ca.is_none() && identity.is_none() {
            return Ok(None);
        }
        Tls::of_files(self.zk_tls_ca.as_deref(), identity)
            .map(Some)
            .map_err(|error| Error::setting(format!("zk-{error}")))
    }
}
