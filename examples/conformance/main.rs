//! Serves idl/conformance.thrift, every shape that Thrift can send, for the programs in tests/interop to call.
//!
//! `cargo run --example conformance -- --listen 127.0.0.1:0` prints where it listens; SIGTERM or Ctrl-C ends it.

mod describe;
mod echo;
mod values;

/// What the Thrift compiler wrote.
#[rustfmt::skip]
#[allow(missing_docs)]
mod idl {
    #[allow(clippy::all, clippy::unwrap_used, unreachable_pub)]
    pub mod conformance;
    #[allow(clippy::all, clippy::unwrap_used, unreachable_pub)]
    pub mod conformance_uuid;
}

use calculate::config::{Config, Tls, TlsMode};
use calculate::error::Error;
use calculate::server::{Server, Shutdown};
use clap::Parser;
use echo::Echo;
use idl::conformance_uuid::ConformanceUuidSyncProcessor;
use std::path::PathBuf;

/// Serve Conformance, which echoes and describes what it is given
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    listen: String,
    /// The certificate, PEM: TLS beside plain connections
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

impl Arguments {
    fn config(self) -> Config {
        let default = Config::default();
        let mode = if self.tls_certificate.is_some() { TlsMode::Allow } else { TlsMode::Off };
        let tls = Tls { mode, certificate: self.tls_certificate, key: self.tls_key, ..default.tls };
        Config { listen: vec![self.listen], tls, ..default }
    }
}

fn main() -> Result<(), Error> {
    let arguments = Arguments::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let server = Server::bind(arguments.config())?;
    let server = ["Conformance", "ConformanceOther"].into_iter().fold(server, |server, name| {
        // The second is for callers whose header names the service that they know.
        server.service(name, ConformanceUuidSyncProcessor::new(Echo::default()))
    });
    for address in server.local_addrs() {
        println!("listening on {address}");
    }
    server.serve(Shutdown::on_signals()?)?;
    Ok(())
}
