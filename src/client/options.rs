//! What can be set of a client, and its defaults: the same in Rust, Python and Java.

use super::tls::Tls;
use crate::wire::{Encoding, Framing, Limits, Protocol};
use std::time::Duration;

/// How a client connects and calls.
#[derive(Clone, Debug)]
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
}

impl Default for Options {
    fn default() -> Self {
        Options {
            timeout: Duration::from_secs(5),
            protocol: Protocol::Binary,
            framing: Framing::Framed,
            max_message_bytes: 16_384_000,
            tls: None,
        }
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
