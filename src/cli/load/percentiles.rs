//! What is reported of latencies.

use hdrhistogram::Histogram;

/// Latencies in microseconds.
pub(super) type Percentiles = [(&'static str, f64); 6];

/// What is reported of latencies in nanoseconds.
pub(super) fn percentiles(latencies: &Histogram<u64>) -> Percentiles {
    let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    [
        ("p50", at(0.5)),
        ("p90", at(0.9)),
        ("p99", at(0.99)),
        ("p99.9", at(0.999)),
        ("p99.99", at(0.9999)),
        ("max", latencies.max() as f64 / 1000.0),
    ]
}
