//! How slow an instance is: a moving average that peaks at once and falls slowly (peak EWMA, as Finagle's).

/// A moving average of an instance's latencies. New, it is 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    ewma_ms: f64,
    sampled_at_ms: u64,
}

impl Latency {
    /// An answer came at `now_ms` that took `sample_ms`.
    pub fn sample(&mut self, now_ms: u64, sample_ms: f64) {
        if sample_ms >= self.ewma_ms {
            self.ewma_ms = sample_ms;
        } else {
            let kept = self.kept(now_ms);
            self.ewma_ms = self.ewma_ms * kept + sample_ms * (1.0 - kept);
        }
        self.sampled_at_ms = self.sampled_at_ms.max(now_ms);
    }

    /// An attempt failed at `now_ms` after `took_ms`: that counts as a second, or as longer. So least-loaded balancing calls
    /// others first, also where too many are out for this one to be.
    pub fn failed(&mut self, now_ms: u64, took_ms: f64) {
        self.sample(now_ms, took_ms.max(FAILED_MS));
    }

    /// The average as it is at `now_ms`: it falls while nobody asks, so that who was slow once is tried again some time.
    pub fn at(&self, now_ms: u64) -> f64 {
        self.ewma_ms * self.kept(now_ms)
    }

    /// The smallest power of two, from 1 to 2²⁰, that is at least the average in milliseconds: what is compared, as
    /// smaller differences are noise.
    pub fn class(&self, now_ms: u64) -> u64 {
        class(self.at(now_ms))
    }

    fn kept(&self, now_ms: u64) -> f64 {
        (-(now_ms.saturating_sub(self.sampled_at_ms) as f64) / TAU_MS).exp()
    }
}

/// The class of a latency: see [`Latency::class`].
pub fn class(ms: f64) -> u64 {
    const MOST: u32 = 20;
    match ms.ceil() {
        ms if ms <= 1.0 => 1,
        ms if ms >= f64::from(1u32 << MOST) => 1 << MOST,
        ms => (ms as u64).next_power_of_two(),
    }
}

const FAILED_MS: f64 = 1000.0;
const TAU_MS: f64 = 10_000.0;
