//! The server as a library, in a thread, with whatever services a test needs.

use super::eventually;
use super::gates::Gates;
use calculate::config::{Config, Handlers};
use calculate::idl::calculate::CalculateSyncProcessor;
use calculate::server::{Outcome, Server, Shutdown};
use calculate::service::Calculator;
use std::net::SocketAddr;
use std::thread;

pub struct Library {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    thread: Option<thread::JoinHandle<Outcome>>,
    /// Opened when the test ends, so that no thread stays.
    gates: Gates,
}

impl Library {
    /// A server of `Wire` behind gates, on `handlers`, and of `Calculate`, inline. Plain names are Calculate's.
    pub fn serve(config: Config, handlers: Handlers, gates: &Gates) -> Library {
        Library::start(config, gates, |server| {
            server.service_on(Handlers::Inline, "Calculate", CalculateSyncProcessor::new(Calculator)).service_on(
                handlers,
                "Wire",
                gates.processor(),
            )
        })
    }

    pub fn start(config: Config, gates: &Gates, services: impl FnOnce(Server) -> Server) -> Library {
        let server = services(Server::bind(config).expect("a free port"));
        let (address, shutdown) = (server.local_addr().expect("TCP"), Shutdown::new());
        let told = shutdown.clone();
        let thread = thread::spawn(move || server.serve(told).expect("it serves"));
        Library { address, shutdown, thread: Some(thread), gates: gates.clone() }
    }

    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished)
    }

    /// Waits for its end.
    pub fn outcome(mut self) -> Outcome {
        eventually("the server ends", || self.has_ended());
        self.thread.take().expect("not joined before").join().expect("no panic")
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.gates.open_all();
        self.shutdown.begin();
    }
}

/// A configuration for tests: a free port, two workers.
pub fn config() -> Config {
    Config { listen: vec!["127.0.0.1:0".into()], workers: 2, ..Config::default() }
}
