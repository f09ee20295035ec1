//! What can be set of a client, and its defaults: the same in Rust, Python and Java.

use super::balance::Balance;
use super::events::Subscriber;
use crate::tls::Tls;
use crate::wire::{Encoding, Framing, Limits, Protocol};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a client connects and calls.
#[derive(Clone)]
pub struct Options {
    /// A call's one deadline, from the moment it is made: connecting, sending and waiting. Default 5 s.
    pub timeout: Duration,
    /// How values become bytes. Default: binary.
    pub protocol: Protocol,
    /// How messages are told apart. Default: framed.
    pub framing: Framing,
    /// The longest reply that is taken, in bytes; memory is not reserved for a longer one. Default 16,384,000.
    pub max_message_bytes: usize,
    /// Whether the connection is encrypted, and how. Default: it is not.
    pub tls: Option<Tls>,
    /// How calls are spread over many instances. Default: least loaded.
    pub balance: Balance,
    /// The client's own zone, whose instances it calls first; a zone in the target goes before it. Default: none.
    pub zone: String,
    /// Attempts that a call to many instances may take, the first included. Default 3.
    pub attempts: u32,
    /// How long an attempt may take that another one can follow. Default 1 s.
    pub attempt_timeout: Duration,
    /// Whether a call that is later than 95 of 100 is sent to a second instance, too. Default: no.
    pub hedge: bool,
    /// How long an instance that is new gets fewer calls. Default 1 s.
    pub warm_up: Duration,
    /// Connections to each of many instances. Default 1.
    pub connections_per_instance: usize,
    /// A connection to one of many instances is closed after this long without a call. Default 60 s.
    pub idle_close: Duration,
    /// A connection to one of many instances is replaced at this age, 10 % more or less. Default 600 s.
    pub max_connection_age: Duration,
    /// Where the last list of a registry's instances is kept, to start with while the registry is down. Default: a file
    /// below `$XDG_CACHE_HOME` or `~/.cache`.
    pub cache_file: Option<PathBuf>,
    /// Credentials for the registry, `user:password`. Default: none.
    pub zk_auth: Option<String>,
    /// Whether the registry is spoken to under TLS, and how: its certificate must be for its host, so no server name can be
    /// given. The files are read anew for each session. Default: it is not.
    pub zk_tls: Option<Tls>,
    /// Who is told of events. Default: nobody.
    pub events: Option<Subscriber>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            timeout: Duration::from_secs(5),
            protocol: Protocol::Binary,
            framing: Framing::Framed,
            max_message_bytes: 16_384_000,
            tls: None,
            balance: Balance::LeastLoaded,
            zone: String::new(),
            attempts: 3,
            attempt_timeout: Duration::from_secs(1),
            hedge: false,
            warm_up: Duration::from_secs(1),
            connections_per_instance: 1,
            idle_close: Duration::from_secs(60),
            max_connection_age: Duration::from_secs(600),
            cache_file: None,
            zk_auth: None,
            zk_tls: None,
            events: None,
        }
    }
}

/// Without the registry's credentials.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { timeout, protocol, framing, tls, balance, attempts, attempt_timeout, hedge, .. } = self;
        f.debug_struct("Options")
            .field("timeout", timeout)
            .field("protocol", protocol)
            .field("framing", framing)
            .field("tls", tls)
            .field("balance", balance)
            .field("attempts", attempts)
            .field("attempt_timeout", attempt_timeout)
            .field("hedge", hedge)
            .finish_non_exhaustive()
    }
}

impl Options {
    pub(super) fn encoding(&self) -> Encoding {
        Encoding { framing: self.framing, protocol: self.protocol }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            message_bytes: self.max_message_bytes,
            string_bytes: self.max_message_bytes,
            container_items: self.max_message_bytes,
            ..Limits::default()
        }
    }
}
