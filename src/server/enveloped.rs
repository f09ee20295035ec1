//! The envelope that a call came in, and what follows from it.

use crate::wire::headers::{key, name};
use crate::wire::{Envelope, Framing, Headers};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An envelope that came with a call, and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Enveloped {
    pub(super) envelope: Arc<Envelope>,
    /// When the caller gives up, if it said so.
    pub(super) deadline: Option<Instant>,
    /// The server drains: who can be told is told to connect elsewhere.
    draining: bool,
}

impl Enveloped {
    pub(super) fn new(envelope: Envelope, draining: bool) -> Enveloped {
        let deadline = time_left(&envelope).and_then(|left| Instant::now().checked_add(left));
        Enveloped { envelope: Arc::new(envelope), deadline, draining }
    }

    /// Appends what `write` writes, in an envelope like it.
    pub(super) fn close(&self, mut headers: Headers, write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
        let mut message = Vec::new();
        write(&mut message);
        if self.draining && self.envelope.framing == Framing::TTHeader {
            // There is always room: a handler's headers are bounded below what a frame can carry.
            let _ = headers.insert(name::CONNECTION_READY_TO_RESET, b"1");
        }
        self.envelope.close(&message, &headers, out);
    }
}

/// The time that the caller gives the call, in milliseconds as decimal text: Kitex's and fbthrift's headers.
fn time_left(envelope: &Envelope) -> Option<Duration> {
    let said = match envelope.framing {
        Framing::TTHeader => envelope.headers.int(key::RPC_TIMEOUT),
        _ => envelope.headers.get(name::CLIENT_TIMEOUT),
    };
    let milliseconds: u64 = std::str::from_utf8(said?).ok()?.parse().ok()?;
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
}
