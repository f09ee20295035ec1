//! What was counted, in words and in JSON.

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// Counts and latencies of all connections together.
#[derive(Debug)]
pub(super) struct Tally {
    /// Latencies of right answers, in nanoseconds.
    latencies: Histogram<u64>,
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
    pub(super) fn new() -> Tally {
        let latencies = Histogram::new_with_bounds(1, LONGEST_NANOSECONDS, SIGNIFICANT_DIGITS);
        let latencies = latencies.expect("the bounds are in order, and one to five digits are allowed");
        Tally { latencies, failed: 0, wrong: 0, first_failure: None }
    }

    /// `count` right answers after `latency`.
    pub(super) fn succeed(&mut self, latency: Duration, count: u64) {
        self.latencies.saturating_record_n(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX), count);
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

    fn percentiles(&self) -> [(&'static str, f64); 6] {
        let at = |quantile| self.tally.latencies.value_at_quantile(quantile) as f64 / 1000.0;
        let max = self.tally.latencies.max() as f64 / 1000.0;
        [
            ("p50", at(0.5)),
            ("p90", at(0.9)),
            ("p99", at(0.99)),
            ("p99.9", at(0.999)),
            ("p99.99", at(0.9999)),
            ("max", max),
        ]
    }

    /// The report for programs. Latencies are in microseconds.
    pub(super) fn json(&self) -> Value {
        let latency: serde_json::Map<_, _> =
            self.percentiles().map(|(name, value)| (name.to_string(), json!(value))).into_iter().collect();
        json!({
            "calls": self.calls(),
            "calls_per_second": self.rate(),
            "failed": self.tally.failed,
            "first_failure": self.tally.first_failure,
            "wrong": self.tally.wrong,
            "connections": self.connections,
            "seconds": self.measured.as_secs_f64(),
            "latency_us": latency,
        })
    }
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
        for (name, microseconds) in self.percentiles() {
            write!(f, "\n{name:<10} {microseconds:>12.1}   µs")?;
        }
        Ok(())
    }
}
