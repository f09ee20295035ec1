//! The server, generic over generated processors. In the order in which a connection meets them: `acceptor` hands
//! its socket to the least loaded `worker`, `connection` reads and writes, `conversation` turns bytes into calls
//! and replies into bytes, `dispatch` finds the service and runs it, inline or on the `pool`; `shutdown` ends it.
//!
//! It does not know ZooKeeper, and names no type of the IDL.

mod acceptor;
mod connection;
mod conversation;
mod dispatch;
mod in_flight;
mod pool;
mod rejects;
mod shared;
mod shutdown;
mod unsent;
mod worker;

pub use dispatch::Processor;
pub use shutdown::{Outcome, Shutdown};

use crate::config::{Config, Handlers};
use crate::error::Error;
use conversation::Conversation;
use dispatch::{Service, Services};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;

/// A server that has its address, and no connection yet.
///
/// ```
/// use calculate::config::Config;
/// use calculate::idl::calculate::CalculateSyncProcessor;
/// use calculate::server::{Server, Shutdown};
/// use calculate::service::Calculator;
///
/// # fn main() -> Result<(), calculate::error::Error> {
/// let config = Config { listen: "127.0.0.1:0".into(), ..Config::default() };
/// let server = Server::bind(config)?.service("Calculate", CalculateSyncProcessor::new(Calculator));
/// let shutdown = Shutdown::new();
/// # shutdown.begin();
/// println!("listening on {}", server.local_addr());
/// let outcome = server.serve(shutdown)?;
/// # assert_eq!(outcome.aborted, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    config: Config,
    listener: TcpListener,
    local_addr: SocketAddr,
    services: Services,
}

impl Server {
    /// Takes the configured address. From here on connections queue; they are answered from [`Server::serve`] on.
    ///
    /// # Errors
    /// A setting is out of range, or the address cannot be had.
    pub fn bind(config: Config) -> Result<Server, Error> {
        config.validate()?;
        let listener = listen(&config.listen)?;
        let local_addr = listener.local_addr().map_err(|source| Error::machine("no local address", source))?;
        Ok(Server { config, listener, local_addr, services: Services::default() })
    }

    /// Adds a service whose handlers run where the configuration says. It is reached by `name:method`, and the first
    /// one added also by the method alone.
    pub fn service(self, name: &str, processor: impl Processor) -> Server {
        let handlers = self.config.handlers;
        self.service_on(handlers, name, processor)
    }

    /// Adds a service whose handlers run where this call says.
    pub fn service_on(mut self, handlers: Handlers, name: &str, processor: impl Processor) -> Server {
        self.services.add(Service::new(name, handlers, Arc::new(processor)));
        self
    }

    /// Where it listens: the real port where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// All that a peer would be sent which sends these pieces, one after the other, and reads everything; and whether
    /// the connection would then be closed. The whole path from bytes to replies, without a socket and without the
    /// pool: for fuzzing, and for tests of processors.
    pub fn converse(&self, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut conversation = Conversation::new(&self.config, &self.services, None);
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
        acceptor::run(self.config, self.listener, self.services, shutdown)
    }
}

fn listen(address: &str) -> Result<TcpListener, Error> {
    const BACKLOG: i32 = 4096;
    let wrong = |why: &str| Error::setting(format!("cannot listen on {address:?}: {why}; write HOST:PORT"));
    if !address.contains(':') {
        return Err(wrong("no port"));
    }
    let resolved = address.to_socket_addrs().map_err(|error| wrong(&error.to_string()))?.next();
    let resolved = resolved.ok_or_else(|| wrong("no such host"))?;
    let bind = || {
        let socket = socket2::Socket::new(socket2::Domain::for_address(resolved), socket2::Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&resolved.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    bind().map_err(|source| Error::machine(format!("cannot listen on {resolved}"), source))
}
