//! The connections to one of many instances.

use super::address::Address;
use super::balance::instance::Instance;
use super::balance::random::Random;
use super::connections::Connections;
use super::deadline::Deadline;
use super::error::CalculateError;
use super::message::{Input, Method, Output};
use super::options::Options;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Some connections to one instance, made when they are needed, closed when they are not, or have become old.
#[derive(Debug)]
pub(super) struct Pool {
    connections: Vec<Connections>,
    next: AtomicUsize,
    idle_timeout: Duration,
    /// Each connection's greatest age, with jitter: those made together do not end together.
    greatest_age: Duration,
}

impl Pool {
    pub(super) fn new(instance: &Instance, options: &Options) -> Pool {
        let port = match options.tls.is_some() {
            true => instance.ssl_port.or(instance.port),
            false => instance.port,
        };
        let address = match instance.address.strip_prefix("unix:") {
            Some(path) => Address::Unix { path: path.into() },
            None => Address::Tcp { host: instance.address.clone(), port: port.unwrap_or_default() },
        };
        let count = options.connections_per_instance.max(1);
        let connections = (0..count).map(|_| Connections::unconnected(address.clone(), options.clone())).collect();
        let jitter = 0.9 + Random::new().below(2001) as f64 / 10_000.0;
        Pool {
            connections,
            next: AtomicUsize::new(0),
            idle_timeout: options.idle_close,
            greatest_age: options.max_connection_age.mul_f64(jitter),
        }
    }

    /// Makes a call, on one of the connections in turn. Gives when it began, too: after connecting, as that is not what the
    /// server is slow at.
    pub(super) async fn call<R>(
        &self,
        method: Method,
        deadline: Deadline,
        stub: &impl Fn(Input<'_>, Output<'_>) -> thrift::Result<R>,
    ) -> (Result<R, CalculateError>, Instant) {
        self.turn().call(method, deadline, stub).await
    }

    /// Connects, where that has not been done.
    pub(super) async fn ready(&self, deadline: Deadline) -> Result<(), CalculateError> {
        self.turn().ready(deadline).await
    }

    /// Closes what has been idle, and what is old: that one takes no more calls and ends with its last.
    pub(super) fn tend(&self) {
        for connections in &self.connections {
            connections.retire_if(self.greatest_age, self.idle_timeout);
        }
    }

    /// Takes no more calls: what is in flight is finished.
    pub(super) fn retire(&self) {
        self.connections.iter().for_each(|connections| connections.retire_if(Duration::ZERO, Duration::ZERO));
    }

    /// Closes all at once.
    pub(super) fn close(&self) {
        self.connections.iter().for_each(Connections::close);
    }

    fn turn(&self) -> &Connections {
        match &self.connections[..] {
            [only] => only,
            some => &some[self.next.fetch_add(1, Ordering::Relaxed) % some.len()],
        }
    }
}
