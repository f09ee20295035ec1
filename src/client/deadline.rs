//! A call's one deadline.

use std::fmt;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// When a call must be over: connecting, sending and waiting together. It prints as `within 0.5 s`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    began: Instant,
    timeout: Duration,
}

impl Deadline {
    /// From now on. A time-out beyond what the clock can tell is as good as none.
    pub(crate) fn after(timeout: Duration) -> Deadline {
        const YEARS: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        let began = Instant::now();
        Deadline { at: began + timeout.min(YEARS), began, timeout }
    }

    /// When the call, or the attempt, began.
    pub(crate) fn began(self) -> Instant {
        self.began
    }

    /// The same deadline of what begins `now`, or a nearer one after `limit`.
    pub(crate) fn at_most(self, limit: Duration, now: Instant) -> Deadline {
        match limit < self.left_at(now) {
            true => Deadline { at: now + limit, began: now, timeout: limit },
            false => Deadline { began: now, ..self },
        }
    }

    /// The time that is left.
    pub(crate) fn left(self) -> Duration {
        self.left_at(Instant::now())
    }

    /// The time that is left at `now`.
    pub(crate) fn left_at(self, now: Instant) -> Duration {
        self.at.saturating_duration_since(now)
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
