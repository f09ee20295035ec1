//! How slow an instance is: an exponentially weighted moving average (EWMA) over the last seconds.

/// A moving average of an instance's latencies, pinned by `idl/vectors/latency.tsv`. One slow answer among many counts for little:
/// an average that jumps to each peak (Finagle's) would keep who paused once from being called for as long as it falls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    ewma_ms: f64,
    /// None before the first.
    sampled_at_ms: Option<u64>,
}

impl Latency {
    /// An answer came at `now_ms` that took `sample_ms`.
    pub fn sample(&mut self, now_ms: u64, sample_ms: f64) {
        let kept = self.kept(now_ms);
        self.ewma_ms = self.ewma_ms * kept + sample_ms * (1.0 - kept);
        self.sampled_at_ms = Some(now_ms);
    }

    /// An attempt failed at `now_ms` after `took_ms`: that counts as a second, or as longer. So least-loaded balancing calls
    /// others first, also where too many are out for this one to be.
    pub fn failed(&mut self, now_ms: u64, took_ms: f64) {
        self.ewma_ms = self.ewma_ms.max(took_ms).max(FAILED_MS);
        self.sampled_at_ms = Some(now_ms);
    }

    /// The average as it is at `now_ms`: it falls while nobody asks, so that who was slow once is tried again some time.
    pub fn at(&self, now_ms: u64) -> f64 {
        self.ewma_ms * self.kept(now_ms)
    }

    /// The smallest power of four, from 1 to 4¹⁰, that is at least a quarter of the average in milliseconds: what is compared,
    /// as what is below 4 ms, or a factor of four, is noise.
    pub fn class(&self, now_ms: u64) -> u64 {
        if self.ewma_ms <= UNIT_MS { 1 } else { class(self.at(now_ms)) }
    }

    /// The share that what is known already has in the average of the moment: nothing, when nothing is.
    fn kept(&self, now_ms: u64) -> f64 {
        let Some(then) = self.sampled_at_ms else { return 0.0 };
        (-(now_ms.saturating_sub(then) as f64) / TAU_MS).exp()
    }
}

/// The class of a latency: see [`Latency::class`].
pub fn class(ms: f64) -> u64 {
    const HIGHEST: u64 = 1 << 20;
    let mut class = 1;
    while (class as f64) < ms / UNIT_MS && class < HIGHEST {
        class *= 4;
    }
    class
}

const FAILED_MS: f64 = 1000.0;
const TAU_MS: f64 = 2000.0;
const UNIT_MS: f64 = 4.0;
