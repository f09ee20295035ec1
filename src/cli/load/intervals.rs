//! The latencies of each interval of a load, one after the other.

use super::percentiles::{Percentiles, percentiles};
use hdrhistogram::Histogram;
use std::time::Duration;
use tokio::time::Instant;

/// Latencies by interval. One that a machine's own pause falls into does not hide what the others were like.
#[derive(Debug)]
pub(super) struct Intervals {
    length: Duration,
    /// When the current one ends; none before the first answer.
    end: Option<Instant>,
    current: Histogram<u64>,
    /// Those that are over, in order.
    over: Vec<Interval>,
}

/// One that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    /// Right answers that came in it.
    pub(super) calls: u64,
    /// Their latencies; all 0 where there were none.
    pub(super) percentiles: Percentiles,
}

impl Intervals {
    /// Intervals of `length`, of latencies such as `empty` holds.
    pub(super) fn new(length: Duration, empty: &Histogram<u64>) -> Intervals {
        Intervals { length, end: None, current: Histogram::new_from(empty), over: Vec::new() }
    }

    /// `count` answers came at `now`, after `nanoseconds`.
    pub(super) fn record(&mut self, now: Instant, nanoseconds: u64, count: u64) {
        let end = self.end.get_or_insert(now + self.length);
        while now >= *end {
            *end += self.length;
            self.over.push(Interval { calls: self.current.len(), percentiles: percentiles(&self.current) });
            self.current.reset();
        }
        self.current.saturating_record_n(nanoseconds, count);
    }

    /// Those that are over.
    pub(super) fn over(&self) -> &[Interval] {
        &self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_the_interval_in_which_it_came() {
        let empty = Histogram::new_with_bounds(1, 100_000, 3).expect("bounds");
        let (began, millisecond) = (Instant::now(), Duration::from_millis(1));
        let mut intervals = Intervals::new(10 * millisecond, &empty);
        for (at, latency) in [(0, 1), (9, 2), (10, 3), (35, 4)] {
            intervals.record(began + at * millisecond, 1000 * latency, 2);
        }
        let over: Vec<(u64, f64)> =
            intervals.over().iter().map(|each| (each.calls, each.percentiles[0].1.round())).collect();
        assert_eq!(over, [(4, 1.0), (2, 3.0), (0, 0.0)], "and the last one is not over");
    }
}
