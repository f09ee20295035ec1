//! What connections hold of messages that are not done with, and the bound on all of it together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that all connections hold: of requests that are not whole or wait for the pool, of replies that wait for their
/// turn or for their peer. Without a bound on the sum, each connection within its own limits, a process runs out of
/// memory; then it does not get an error but is ended.
#[derive(Debug)]
pub(super) struct Buffered {
    bytes: AtomicUsize,
    most: usize,
}

/// What one connection holds, or one call in the pool. Its drop gives all of it back.
#[derive(Debug)]
pub(super) struct Held {
    all: Arc<Buffered>,
    /// What is counted: nothing while less than [`UNCOUNTED_BYTES`] are held.
    bytes: usize,
}

impl Buffered {
    pub(super) fn new(most: usize) -> Buffered {
        Buffered { bytes: AtomicUsize::new(0), most }
    }

    /// Holds nothing yet.
    pub(super) fn nothing(self: &Arc<Self>) -> Held {
        Held { all: self.clone(), bytes: 0 }
    }
}

impl Held {
    /// Whether anything is counted.
    pub(super) fn counts(&self) -> bool {
        self.bytes > 0
    }

    /// `bytes` are held, or about to be. False where that is more than before and over the bound: what is
    /// counted stays as it was.
    #[must_use]
    pub(super) fn set(&mut self, bytes: usize) -> bool {
        let bytes = if bytes < UNCOUNTED_BYTES { 0 } else { bytes };
        if bytes <= self.bytes {
            self.give_back(self.bytes - bytes);
            return true;
        }
        let more = bytes - self.bytes;
        if self.all.bytes.fetch_add(more, Ordering::Relaxed).saturating_add(more) > self.all.most {
            self.all.bytes.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        self.bytes = bytes;
        true
    }

    fn give_back(&mut self, bytes: usize) {
        if bytes > 0 {
            self.all.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.bytes -= bytes;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

/// What may be held without being counted: a call of common size that a read has cut in two writes nothing that workers
/// share.
const UNCOUNTED_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_are_bounded_and_what_goes_makes_room() {
        let all = Arc::new(Buffered::new(20_000));
        let (mut one, mut other) = (all.nothing(), all.nothing());
        assert!(one.set(12_000) && other.set(8_000));
        assert!(!other.set(8_001) && !one.set(12_001), "one byte over");
        assert!(other.set(UNCOUNTED_BYTES - 1) && !other.counts(), "little is not counted");
        assert!(one.set(20_000), "there is room now");
        assert!(!other.set(UNCOUNTED_BYTES));
        drop(one);
        assert!(other.set(20_000));
        drop(other);
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
    }
}
