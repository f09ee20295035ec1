//! A call's one deadline.

use std::fmt;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// When a call must be over: connecting, sending and waiting together. It prints as `within 0.5 s`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    /// From now on. A time-out beyond what the clock can tell is as good as none.
    pub(crate) fn after(timeout: Duration) -> Deadline {
        const YEARS: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        Deadline { at: Instant::now() + timeout.min(YEARS), timeout }
    }

    /// This deadline, or a nearer one after `limit`.
    pub(crate) fn at_most(self, limit: Duration) -> Deadline {
        let nearer = Deadline::after(limit);
        if nearer.at < self.at { nearer } else { self }
    }

    /// The time that is left.
    pub(crate) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether no time is left.
    pub(crate) fn is_over(self) -> bool {
        self.left() == Duration::ZERO
    }

    /// What `future` comes to; `None` when the deadline passes first.
    pub(crate) async fn limit<F: Future>(&self, future: F) -> Option<F::Output> {
        timeout_at(self.at, future).await.ok()
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "within {} s", self.timeout.as_secs_f64())
    }
}
