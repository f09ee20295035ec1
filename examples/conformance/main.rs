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

use calculate::config::Config;
use calculate::error::Error;
use calculate::server::{Server, Shutdown};
use clap::Parser;
use echo::Echo;
use idl::conformance_uuid::ConformanceUuidSyncProcessor;

/// Serve Conformance, which echoes and describes what it is given
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    listen: String,
}

fn main() -> Result<(), Error> {
    let Arguments { listen } = Arguments::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let config = Config { listen, ..Config::default() };
    let server = Server::bind(config)?.service("Conformance", ConformanceUuidSyncProcessor::new(Echo::default()));
    println!("listening on {}", server.local_addr());
    server.serve(Shutdown::on_signals()?)?;
    Ok(())
}
