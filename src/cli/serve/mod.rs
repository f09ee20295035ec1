//! `calculate serve`.

mod registration;
mod tls;

use super::{fail, seconds};
use crate::config::{Config, Handlers};
use crate::error::{Blame, Error};
use crate::idl::calculate::CalculateSyncProcessor;
use crate::one_line::one_line;
use crate::server::access::address_range;
use crate::server::{Outcome, Server};
use crate::service::Calculator;
use crate::wire::Limits;
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use registration::{Place, RegistrationFlags};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tls::TlsFlags;

/// Serve Calculate: every Thrift encoding, encrypted or not, on one port
///
/// The first line on standard output is "listening on HOST:PORT", one line an address. SIGTERM or SIGINT drains: exit code 0, or 1 when the
/// drain's time was up; a second signal ends at once. Logs go to standard error (RUST_LOG, default info).
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen: HOST:PORT (port 0 takes a free one) or unix:/path; may be repeated
    #[arg(long, value_name = "ADDRESS", env = "CALCULATE_LISTEN", value_delimiter = ',', default_values_t = default().listen)]
    listen: Vec<String>,
    #[command(flatten)]
    tls: TlsFlags,
    #[command(flatten)]
    registration: RegistrationFlags,
    /// Who may call what, a file of rules such as "allow cert:alice.example Calculate.Square"; read anew when it changes
    #[arg(long, value_name = "FILE", env = "CALCULATE_ACCESS")]
    access: Option<PathBuf>,
    /// Believe a PROXY protocol v2 header of peers in this range; may be repeated
    #[arg(long, value_name = "RANGE", env = "CALCULATE_PROXY_PROTOCOL", value_delimiter = ',', value_parser = address_range)]
    proxy_protocol: Vec<IpNet>,
    /// Worker threads, each with its share of the connections [default: the cores]
    #[arg(long, value_name = "N", env = "CALCULATE_WORKERS", default_value_t = default().workers, hide_default_value = true)]
    workers: usize,
    /// Where handlers run: inline (they only compute) or on a pool of threads (they may block)
    #[arg(long, env = "CALCULATE_HANDLERS", default_value = "inline")]
    handlers: HandlersArg,
    /// Threads of the handler pool
    #[arg(long, value_name = "N", env = "CALCULATE_POOL_THREADS", default_value_t = default().pool_threads)]
    pool_threads: usize,
    /// Calls that may wait for a pool thread; one more is answered "overloaded"
    #[arg(long, value_name = "N", env = "CALCULATE_POOL_QUEUE", default_value_t = default().pool_queue)]
    pool_queue: usize,
    /// Longest message
    #[arg(long, value_name = "BYTES", env = "CALCULATE_MAX_MESSAGE_BYTES", default_value_t = default().limits.message_bytes)]
    max_message_bytes: usize,
    /// Longest string or binary in a message
    #[arg(long, value_name = "BYTES", env = "CALCULATE_MAX_STRING_BYTES", default_value_t = default().limits.string_bytes)]
    max_string_bytes: usize,
    /// Most elements in a list, set or map
    #[arg(long, value_name = "N", env = "CALCULATE_MAX_CONTAINER_ITEMS", default_value_t = default().limits.container_items)]
    max_container_items: usize,
    /// Deepest nesting of structs and containers
    #[arg(long, value_name = "N", env = "CALCULATE_MAX_DEPTH", default_value_t = default().limits.depth)]
    max_depth: usize,
    /// Connections at a time; further ones wait to be accepted
    #[arg(long, value_name = "N", env = "CALCULATE_MAX_CONNECTIONS", default_value_t = default().connections)]
    max_connections: usize,
    /// Unanswered calls of one connection before it is not read from
    #[arg(long, value_name = "N", env = "CALCULATE_MAX_IN_FLIGHT", default_value_t = default().in_flight)]
    max_in_flight: usize,
    /// Replies that a peer leaves unread before it is not read from
    #[arg(long, value_name = "BYTES", env = "CALCULATE_MAX_UNREAD_REPLY_BYTES", default_value_t = default().unread_reply_bytes)]
    max_unread_reply_bytes: usize,
    /// Unfinished requests and untaken replies that all connections together may hold; one that needs more is refused
    #[arg(long, value_name = "BYTES", env = "CALCULATE_MAX_BUFFERED_BYTES", default_value_t = default().buffered_bytes)]
    max_buffered_bytes: usize,
    /// Messages of one connection that are handled before another's turn
    #[arg(long, value_name = "N", env = "CALCULATE_MESSAGES_PER_TURN", default_value_t = default().messages_per_turn)]
    messages_per_turn: usize,
    /// A connection without a call for this long is closed
    #[arg(long, value_name = "SECONDS", env = "CALCULATE_IDLE_TIMEOUT", value_parser = seconds, default_value = "600")]
    idle_timeout: Duration,
    /// A message must be whole this long after its first byte
    #[arg(long, value_name = "SECONDS", env = "CALCULATE_MESSAGE_TIMEOUT", value_parser = seconds, default_value = "30")]
    message_timeout: Duration,
    /// A peer must take a reply within this time
    #[arg(long, value_name = "SECONDS", env = "CALCULATE_WRITE_TIMEOUT", value_parser = seconds, default_value = "30")]
    write_timeout: Duration,
    /// How long a shutdown waits for what is in flight
    #[arg(long, value_name = "SECONDS", env = "CALCULATE_DRAIN_TIMEOUT", value_parser = seconds, default_value = "30")]
    drain_timeout: Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HandlersArg {
    Inline,
    Pool,
}

impl Serve {
    pub(super) fn run(self) -> ExitCode {
        log_panics();
        allow_descriptors();
        match self.serve() {
            Ok(Outcome { aborted: 0 }) => {
                log::info!("drained");
                ExitCode::SUCCESS
            }
            Ok(Outcome { aborted }) => fail(1, format_args!("the drain's time was up; connections cut: {aborted}")),
            Err(error) if error.blame() == Blame::Setting => fail(2, error),
            Err(error) => fail(1, error),
        }
    }

    fn serve(self) -> Result<Outcome, Error> {
        let (settings, versions) = (self.registration.settings()?, self.registration.versions());
        let place = Place::default();
        let shutdown = place.shutdown(settings.as_ref())?;
        let mut server = Server::bind(self.config())?.service("Calculate", CalculateSyncProcessor::new(Calculator));
        for version in versions.into_iter().filter(|version| *version > 1) {
            server = server.service(&format!("Calculate.v{version}"), CalculateSyncProcessor::new(Calculator));
        }
        if let Some(settings) = settings {
            place.prepare(&settings, &server, &shutdown)?;
        }
        let mut stdout = std::io::stdout();
        for address in server.local_addrs() {
            // Whoever started it may not be reading: that is no reason not to serve.
            let _ = writeln!(stdout, "listening on {address}").and_then(|()| stdout.flush());
        }
        let outcome = server.serve_and(shutdown, || place.announce());
        place.leave()?;
        outcome
    }

    fn config(self) -> Config {
        Config {
            listen: self.listen,
            tls: self.tls.into(),
            access: self.access,
            proxy_protocol: self.proxy_protocol,
            workers: self.workers,
            handlers: match self.handlers {
                HandlersArg::Inline => Handlers::Inline,
                HandlersArg::Pool => Handlers::Pool,
            },
            pool_threads: self.pool_threads,
            pool_queue: self.pool_queue,
            limits: Limits {
                message_bytes: self.max_message_bytes,
                string_bytes: self.max_string_bytes,
                container_items: self.max_container_items,
                depth: self.max_depth,
            },
            connections: self.max_connections,
            in_flight: self.max_in_flight,
            unread_reply_bytes: self.max_unread_reply_bytes,
            buffered_bytes: self.max_buffered_bytes,
            messages_per_turn: self.messages_per_turn,
            idle_timeout: self.idle_timeout,
            message_timeout: self.message_timeout,
            write_timeout: self.write_timeout,
            drain_timeout: self.drain_timeout,
        }
    }
}

fn default() -> Config {
    Config::default()
}

/// A handler's panic is answered and logged where it is caught; this adds where it happened.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = one_line(panic.payload_as_str().unwrap_or("(no text)"));
        match panic.location() {
            Some(place) => log::error!("a panic at {place}: {text}"),
            None => log::error!("a panic: {text}"),
        }
    }));
}

/// Raises the soft limit on descriptors to the hard one, as every connection is one.
pub(super) fn allow_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        log::warn!("the limit on open files stays at {:?}: {error}", limit.current);
    }
}
