//! What was counted, in words and in JSON.

use super::intervals::{Interval, Intervals};
use super::percentiles::{Percentiles, percentiles};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// Counts and latencies of all connections together.
#[derive(Debug)]
pub(super) struct Tally {
    /// Latencies of right answers, in nanoseconds.
    latencies: Histogram<u64>,
    /// The same by interval, where that is wanted.
    intervals: Option<Intervals>,
    failed: u64,
    wrong: u64,
    first_failure: Option<String>,
}

/// What a load came to.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) tally: &'a Tally,
    pub(super) measured: Duration,
    pub(super) connections: usize,
}

impl Tally {
    /// With the latencies of each `interval`, too, if there is one.
    pub(super) fn new(interval: Option<Duration>) -> Tally {
        let latencies = Histogram::new_with_bounds(1, LONGEST_NANOSECONDS, SIGNIFICANT_DIGITS);
        let latencies = latencies.expect("the bounds are in order, and one to five digits are allowed");
        let intervals = interval.map(|length| Intervals::new(length, &latencies));
        Tally { latencies, intervals, failed: 0, wrong: 0, first_failure: None }
    }

    /// `count` right answers at `now`, after `latency`.
    pub(super) fn succeed(&mut self, now: Instant, latency: Duration, count: u64) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latencies.saturating_record_n(nanoseconds, count);
        if let Some(intervals) = &mut self.intervals {
            intervals.record(now, nanoseconds, count);
        }
    }

    /// `count` calls without an answer.
    pub(super) fn fail(&mut self, count: u64, why: &str) {
        self.failed += count;
        if count > 0 {
            self.first_failure.get_or_insert_with(|| why.to_owned());
        }
    }

    /// `count` wrong answers.
    pub(super) fn wrong(&mut self, count: u64) {
        self.wrong += count;
    }
}

/// An hour.
const LONGEST_NANOSECONDS: u64 = 3_600_000_000_000;

const SIGNIFICANT_DIGITS: u8 = 3;

impl Report<'_> {
    /// What was not as it should be; `None` when every call was answered, and rightly.
    pub(super) fn fault(&self) -> Option<String> {
        let Tally { failed, wrong, first_failure, .. } = self.tally;
        let why = first_failure.as_deref().unwrap_or_default();
        match (failed, wrong) {
            (0, 0) if self.calls() > 0 => None,
            (0, 0) => Some("no answer came in the time that counts; try a longer --duration".into()),
            (0, wrong) => Some(format!("{wrong} answers are wrong")),
            (failed, 0) => Some(format!("{failed} calls failed, the first as {why}")),
            (failed, wrong) => Some(format!("{failed} calls failed, the first as {why}; {wrong} answers are wrong")),
        }
    }

    fn calls(&self) -> u64 {
        self.tally.latencies.len()
    }

    fn rate(&self) -> f64 {
        self.calls() as f64 / self.measured.as_secs_f64()
    }

    /// The report for programs. Latencies are in microseconds.
    pub(super) fn json(&self) -> Value {
        let mut report = json!({
            "calls": self.calls(),
            "calls_per_second": self.rate(),
            "failed": self.tally.failed,
            "first_failure": self.tally.first_failure,
            "wrong": self.tally.wrong,
            "connections": self.connections,
            "seconds": self.measured.as_secs_f64(),
            "latency_us": by_name(percentiles(&self.tally.latencies)),
        });
        if let Some(intervals) = &self.tally.intervals {
            let each = |one: &Interval| json!({"calls": one.calls, "latency_us": by_name(one.percentiles)});
            report["intervals"] = intervals.over().iter().map(each).collect();
        }
        report
    }
}

fn by_name(percentiles: Percentiles) -> Value {
    percentiles.map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect()
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "calls      {:>12}   in {:.3} s over {} connections",
            self.calls(),
            self.measured.as_secs_f64(),
            self.connections
        )?;
        writeln!(f, "calls/s    {:>12.0}", self.rate())?;
        writeln!(f, "failed     {:>12}   {}", self.tally.failed, self.tally.first_failure.as_deref().unwrap_or(""))?;
        write!(f, "wrong      {:>12}", self.tally.wrong)?;
        for (name, microseconds) in percentiles(&self.tally.latencies) {
            write!(f, "\n{name:<10} {microseconds:>12.1}   µs")?;
        }
        Ok(())
    }
}
