//! Whether a call is made again, when, and how long an attempt may take. Pinned by `idl/vectors/retry.tsv`.

use super::random::Random;
use std::collections::VecDeque;
use std::time::Duration;

/// Tokens for retries and hedges: a fifth of one for every call and ten a second, so that an outage is not made worse by
/// those who suffer from it.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Thousandths of a token.
    tokens: u64,
    filled_at_ms: u64,
}

/// How an attempt ended that gave no answer, or one that says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// No connection: nothing was sent.
    Connect,
    /// The server did not begin it: it has too many.
    Overloaded,
    /// The connection ended before the answer.
    Closed,
    /// The attempt's own time was up, not the call's.
    AttemptTimeout,
    /// What came was no answer.
    Protocol,
    /// Anything that is an answer, or the end of the call: nothing to be gained elsewhere.
    Final,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub attempts: u32,
    /// Whether the method may be carried out twice.
    pub idempotent: bool,
    /// Whether there is an instance that this call has not tried.
    pub others: bool,
    /// How many attempts were answered that the server has too many, this one included.
    pub overloaded: u32,
}

/// The latencies of the last answers, to tell when one is late.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    last_us: VecDeque<u32>,
}

impl Budget {
    /// A budget that starts with ten tokens.
    pub fn new(now_ms: u64) -> Budget {
        Budget { tokens: START, filled_at_ms: now_ms }
    }

    /// A call begins.
    pub fn call(&mut self, now_ms: u64) {
        self.fill(now_ms);
        self.tokens = (self.tokens + PER_CALL).min(MOST);
    }

    /// Whether there is a token. Takes none.
    pub fn has_one(&mut self, now_ms: u64) -> bool {
        self.fill(now_ms);
        self.tokens >= ONE
    }

    /// Takes a token for a retry or a hedge, if there is one.
    pub fn take(&mut self, now_ms: u64) -> bool {
        let has_one = self.has_one(now_ms);
        if has_one {
            self.tokens -= ONE;
        }
        has_one
    }

    fn fill(&mut self, now_ms: u64) {
        let passed = now_ms.saturating_sub(self.filled_at_ms);
        self.filled_at_ms = self.filled_at_ms.max(now_ms);
        self.tokens = passed.saturating_mul(PER_MS).saturating_add(self.tokens).min(MOST);
    }
}

impl Standing {
    /// Whether to make the call again, elsewhere if possible. The budget is asked after that.
    pub fn retries(&self, failed: Failed) -> bool {
        let wanted = match failed {
            Failed::Connect => true,
            Failed::Overloaded => self.others && self.overloaded == 1,
            Failed::Closed | Failed::AttemptTimeout | Failed::Protocol => self.idempotent,
            Failed::Final => false,
        };
        wanted && self.attempt < self.attempts
    }

    /// How long an attempt may take: one that could not be followed by another is not cut short.
    pub fn limit(&self, token: bool, attempt_timeout: Duration, remaining: Duration) -> Duration {
        match self.attempt < self.attempts && self.idempotent && self.others && token {
            true => attempt_timeout.min(remaining),
            false => remaining,
        }
    }
}

/// How long to wait before retry `k`, from 1: anything up to a bound that doubles, so that those who failed together do
/// not come back together.
pub fn back_off(k: u32, random: &mut Random) -> Duration {
    let bound_ms = (10u64 << (k.max(1) - 1).min(10)).min(250);
    Duration::from_micros(random.below(bound_ms * 1000 + 1))
}

impl Latencies {
    /// An answer took this long.
    pub fn push(&mut self, latency: Duration) {
        if self.last_us.len() == KEPT {
            self.last_us.pop_front();
        }
        self.last_us.push_back(latency.as_micros().min(u32::MAX.into()) as u32);
    }

    /// After how long an answer is late: when 95 of 100 have come. None while too few are known.
    pub fn late(&self) -> Option<Duration> {
        const FEWEST: usize = 100;
        const SHORTEST_US: u32 = 1000;
        if self.last_us.len() < FEWEST {
            return None;
        }
        let mut sorted: Vec<u32> = self.last_us.iter().copied().collect();
        let place = (sorted.len() * 95).div_ceil(100) - 1;
        let (_, late, _) = sorted.select_nth_unstable(place);
        Some(Duration::from_micros((*late).max(SHORTEST_US).into()))
    }
}

const START: u64 = 10_000;
const MOST: u64 = 100_000;
const PER_CALL: u64 = 200;
const PER_MS: u64 = 10;
const ONE: u64 = 1000;
const KEPT: usize = 1000;
