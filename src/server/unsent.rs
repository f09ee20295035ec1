//! Replies that a peer has not taken yet.

use std::time::Duration;
use tokio::time::Instant;

/// Bytes that wait for the peer to read, and the time by which it must have.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    bytes: Vec<u8>,
    /// How many at the front are sent already.
    sent: usize,
    /// The bytes now waiting must be gone at the deadline. It is set anew only when all of them are: a peer that takes
    /// one byte a second has no more time than one that takes none.
    due: Option<Due>,
    /// TLS took bytes that it could not send on.
    held: bool,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    /// Bytes that waited when the deadline was set and are still waiting.
    bytes: usize,
    deadline: Instant,
}

impl Unsent {
    /// Whether the peer has taken all.
    pub(super) fn is_empty(&self) -> bool {
        self.byte_count() == 0 && !self.held
    }

    pub(super) fn byte_count(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// What to write next.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Appends replies.
    pub(super) fn push(&mut self, bytes: &[u8], now: Instant, timeout: Duration) {
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..std::mem::take(&mut self.sent));
        }
        self.bytes.extend_from_slice(bytes);
        self.due.get_or_insert(Due { bytes: bytes.len(), deadline: now + timeout });
    }

    /// The peer took `count` bytes. When nothing is left, no memory is either.
    pub(super) fn took(&mut self, count: usize, now: Instant, timeout: Duration) {
        self.sent += count;
        if self.byte_count() == 0 {
            *self = Unsent::default();
            return;
        }
        if let Some(due) = &mut self.due {
            due.bytes = due.bytes.saturating_sub(count);
            if due.bytes == 0 {
                *due = Due { bytes: self.bytes.len() - self.sent, deadline: now + timeout };
            }
        }
    }

    /// Says whether TLS holds bytes that it could not send on: they have a deadline as well.
    pub(super) fn hold(&mut self, held: bool, now: Instant, timeout: Duration) {
        if !held && !self.held {
            return;
        }
        self.held = held;
        match (held, self.byte_count()) {
            (true, _) => _ = self.due.get_or_insert(Due { bytes: 0, deadline: now + timeout }),
            (false, 0) => *self = Unsent::default(),
            (false, _) => {}
        }
    }

    /// When the peer must have taken what waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.map(|due| due.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_does_not_move_the_deadline_but_taking_all_of_it_does() {
        let (start, timeout) = (Instant::now(), Duration::from_secs(10));
        let second = Duration::from_secs(1);
        let mut unsent = Unsent::default();
        unsent.push(b"four", start, timeout);
        unsent.push(b"more", start + second, timeout);
        unsent.took(3, start + 2 * second, timeout);
        assert_eq!(unsent.deadline(), Some(start + timeout));
        unsent.took(1, start + 3 * second, timeout);
        assert_eq!(unsent.deadline(), Some(start + 3 * second + timeout));
        assert_eq!(unsent.waiting(), b"more");
        unsent.took(4, start + 4 * second, timeout);
        assert!(unsent.is_empty() && unsent.deadline().is_none());
    }
}
