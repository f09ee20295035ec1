//! The server, generic over generated processors. In the order in which a connection meets them: a `listener` has it,
//! `acceptor` hands its socket to the least loaded `worker`, `handshake` learns whose it is and encrypts it (`tls`),
//! `connection` reads and writes its `stream`, `conversation` turns bytes into calls and replies into bytes, [`access`]
//! says whether the `peer` may call, `dispatch` finds the service for a `call` and runs its `processor`, inline or on the `pool`, `context` tells the
//! handler who calls and what was `enveloped` with it; `reload` reads certificates and the access list anew, `shutdown` ends it all.
//!
//! It does not know ZooKeeper, and names no type of the IDL.

mod acceptor;
pub mod access;
mod buffered;
mod call;
mod close;
mod connection;
mod context;
mod conversation;
mod dispatch;
mod enveloped;
mod handshake;
mod in_flight;
mod listener;
mod peer;
mod pool;
mod processor;
mod rejects;
mod reload;
mod shared;
mod shutdown;
mod stream;
mod tls;
mod tls_fault;
mod unsent;
mod worker;

pub use crate::wire::message::Identifier;
pub use access::AccessList;
pub use context::RequestContext;
pub use listener::LocalAddr;
pub use peer::{Address, Identity, Peer, TlsSession};
pub(crate) use processor::process_body;
pub use processor::{Processor, handle_process_result};
pub use shutdown::{Outcome, Shutdown};

use crate::config::{Config, Handlers, TlsMode};
use crate::error::Error;
use access::Access;
use buffered::Buffered;
use conversation::Conversation;
use dispatch::{Service, Services};
use listener::Listener;
use rejects::Rejects;
use shared::Shared;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tls::Tls;

/// A server that has its address, and no connection yet.
///
/// ```
/// use calculate::config::Config;
/// use calculate::idl::calculate::CalculateSyncProcessor;
/// use calculate::server::{Server, Shutdown};
/// use calculate::service::Calculator;
///
/// # fn main() -> Result<(), calculate::error::Error> {
/// let config = Config { listen: vec!["127.0.0.1:0".into()], ..Config::default() };
/// let server = Server::bind(config)?.service("Calculate", CalculateSyncProcessor::new(Calculator));
/// let shutdown = Shutdown::new();
/// # shutdown.begin();
/// for address in server.local_addrs() {
///     println!("listening on {address}");
/// }
/// let outcome = server.serve(shutdown)?;
/// # assert_eq!(outcome.aborted, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    files: reload::Files,
    shared: Shared,
}

impl Server {
    /// Reads the files that the configuration names and takes its addresses. From here on connections queue; they are
    /// answered from [`Server::serve`] on.
    ///
    /// # Errors
    /// A setting is out of range, a file cannot be used, or an address cannot be had.
    pub fn bind(config: Config) -> Result<Server, Error> {
        config.validate()?;
        let files = reload::Files::of(&config);
        let tls = match config.tls.mode {
            TlsMode::Off => None,
            TlsMode::Allow | TlsMode::Require => Some(Tls::load(&config.tls)?),
        };
        let access = config.access.as_deref().map(Access::load).transpose()?;
        let listeners = config.listen.iter().map(|address| Listener::bind(address)).collect::<Result<_, _>>()?;
        let (services, rejects) = (Services::default(), Rejects::default());
        let buffered = Arc::new(Buffered::new(config.buffered_bytes));
        Ok(Server { listeners, files, shared: Shared { config, services, pool: None, tls, access, rejects, buffered } })
    }

    /// Adds a service whose handlers run where the configuration says. It is reached by `name:method`, and the first
    /// one added also by the method alone.
    pub fn service(self, name: &str, processor: impl Processor) -> Server {
        let handlers = self.shared.config.handlers;
        self.service_on(handlers, name, processor)
    }

    /// Adds a service whose handlers run where this call says.
    pub fn service_on(mut self, handlers: Handlers, name: &str, processor: impl Processor) -> Server {
        self.shared.services.add(Service::new(name, handlers, Arc::new(processor)));
        self
    }

    /// Where it listens, in the order of the configuration.
    pub fn local_addrs(&self) -> impl Iterator<Item = &LocalAddr> {
        self.listeners.iter().map(Listener::address)
    }

    /// The first of the TCP addresses that it listens on.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local_addrs().find_map(LocalAddr::tcp)
    }

    /// Whether connections are encrypted.
    pub fn tls_mode(&self) -> TlsMode {
        self.shared.config.tls.mode
    }

    /// All that a peer would be sent which sends these pieces, one after the other, and reads everything; and whether
    /// the connection would then be closed. The whole path from bytes to replies, without a socket and without the
    /// pool: for fuzzing, and for tests of processors.
    pub fn converse(&self, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let nobody = Address::Tcp((Ipv4Addr::LOCALHOST, 0).into());
        let mut conversation = Conversation::new(&self.shared, Peer::new(nobody));
        let mut output = Vec::new();
        for piece in pieces {
            conversation.hear(piece, 0, &mut output);
            while conversation.has_more() {
                let mut replies = Vec::new();
                conversation.go_on(0, &mut replies);
                output.extend_from_slice(&replies);
            }
        }
        (output, conversation.is_doomed())
    }

    /// Serves until `shutdown` begins, then stops accepting, answers what is in flight, and returns. Blocks the
    /// calling thread, which accepts connections meanwhile.
    ///
    /// # Errors
    /// Threads or the descriptors they need cannot be had.
    pub fn serve(self, shutdown: Shutdown) -> Result<Outcome, Error> {
        self.serve_and(shutdown, || {})
    }

    /// As [`Server::serve`]; calls `serving` once connections are answered, unless the shutdown has begun by then.
    ///
    /// # Errors
    /// As [`Server::serve`].
    pub fn serve_and(self, shutdown: Shutdown, serving: impl FnOnce()) -> Result<Outcome, Error> {
        acceptor::run(self.shared, self.listeners, self.files, shutdown, serving)
    }
}
