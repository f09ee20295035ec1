//! Connections that were ended for a reason: counted, and logged at most once a second a reason (W15).

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Why the server ended a connection, or could not begin one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The first bytes are of something that this port does not speak.
    Foreign,
    /// Bytes that are not Thrift, or a message over a limit.
    Malformed,
    /// No call for too long.
    Idle,
    /// A message that began and did not end in time.
    SlowMessage,
    /// Replies that were not taken in time.
    SlowReader,
    /// The socket failed.
    Socket,
    /// No socket could be accepted.
    Accept,
    /// All connections that may be are there.
    Full,
    /// A PROXY header that is none.
    Proxy,
    /// A TLS handshake that did not come to its end.
    Handshake,
    /// A plain connection where TLS is required.
    NotTls,
    /// A call that the access list does not permit.
    Denied,
    /// All connections together hold what they may.
    Buffered,
}

const REASONS: usize = 13;

/// The counts, shared by the acceptor and all workers. Nothing on the path of a good call touches them.
#[derive(Debug, Default)]
pub(super) struct Rejects {
    of: [Mutex<Count>; REASONS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    total: u64,
    logged: u64,
    last_log: Option<Instant>,
}

impl Rejects {
    /// Counts one, and logs it unless its reason was logged within the last second.
    pub(super) fn record(&self, reason: Reason, peer: Option<&dyn fmt::Display>, detail: impl fmt::Display) {
        const INTERVAL: Duration = Duration::from_secs(1);
        let mut count = self.of[reason as usize].lock().unwrap_or_else(PoisonError::into_inner);
        count.total += 1;
        if count.last_log.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        let unlogged = count.total - count.logged - 1;
        *count = Count { total: count.total, logged: count.total, last_log: Some(Instant::now()) };
        let total = count.total;
        drop(count);
        let more = if unlogged > 0 { format!(" ({unlogged} more like it since the last line)") } else { String::new() };
        match peer {
            Some(peer) => log::warn!("{peer}: {reason}: {detail}; {total} so far{more}"),
            None => log::warn!("{reason}: {detail}; {total} so far{more}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Foreign => "not a Thrift client",
            Reason::Malformed => "bad message",
            Reason::Idle => "idle",
            Reason::SlowMessage => "slow message",
            Reason::SlowReader => "slow reader",
            Reason::Socket => "socket error",
            Reason::Accept => "cannot accept",
            Reason::Full => "connection limit",
            Reason::Proxy => "PROXY header",
            Reason::Handshake => "TLS handshake",
            Reason::NotTls => "no TLS",
            Reason::Denied => "not permitted",
            Reason::Buffered => "no room",
        })
    }
}
