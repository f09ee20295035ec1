//! Which instances are left alone, and for how long: outlier ejection. Pinned by `idl/vectors/health.tsv`.

use super::random::Random;
use std::collections::HashMap;

/// The instances that failed of late.
#[derive(Debug)]
pub struct Health {
    random: Random,
    failed: HashMap<String, Record>,
}

/// What is remembered of an instance that failed.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// How often it was ejected without a minute between two failures.
    ejections: u32,
    failed_at_ms: u64,
    /// It is out until it has been probed, which is not before this.
    out_until_ms: Option<u64>,
    /// Somebody probes it.
    probing: bool,
}

/// What became of an instance that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is out, for so many milliseconds.
    Ejected(u64),
    /// It was out already.
    Stays,
    /// Too many are out: it stays in.
    Spared,
}

impl Health {
    /// Everybody is well.
    pub fn new(random: Random) -> Health {
        Health { random, failed: HashMap::new() }
    }

    /// Whether calls go elsewhere.
    pub fn is_out(&self, id: &str) -> bool {
        !self.failed.is_empty() && self.failed.get(id).is_some_and(|record| record.out_until_ms.is_some())
    }

    /// An instance failed; `callable` are all that could be called if they were well.
    pub fn fail<'a>(&mut self, id: &str, now_ms: u64, callable: impl Iterator<Item = &'a str>) -> Verdict {
        let (mut all, mut out) = (0, 0);
        for id in callable {
            all += 1;
            out += usize::from(self.is_out(id));
        }
        let record = self.failed.entry(id.to_owned()).or_default();
        if now_ms.saturating_sub(record.failed_at_ms) >= FORGET_MS {
            record.ejections = 0;
        }
        record.failed_at_ms = now_ms;
        if record.out_until_ms.is_some() {
            return Verdict::Stays;
        }
        if out >= all / 2 {
            return Verdict::Spared;
        }
        Verdict::Ejected(record.eject(now_ms, &mut self.random))
    }

    /// Those whose time is up and that nobody probes: whoever asks, does.
    pub fn take_due(&mut self, now_ms: u64) -> Vec<String> {
        let mut due = Vec::new();
        for (id, record) in &mut self.failed {
            if !record.probing && record.out_until_ms.is_some_and(|until| until <= now_ms) {
                record.probing = true;
                due.push(id.clone());
            }
        }
        due
    }

    /// When the next probe is due.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.failed.values().filter(|record| !record.probing).filter_map(|record| record.out_until_ms).min()
    }

    /// A probe was answered: the instance is in again. Whether it was out.
    pub fn probe_well(&mut self, id: &str) -> bool {
        let Some(record) = self.failed.get_mut(id) else { return false };
        record.probing = false;
        record.out_until_ms.take().is_some()
    }

    /// A probe failed: the instance is out anew, for so many milliseconds. None where it is not known any more.
    pub fn probe_failed(&mut self, id: &str, now_ms: u64) -> Option<u64> {
        let record = self.failed.get_mut(id)?;
        record.failed_at_ms = now_ms;
        record.probing = false;
        Some(record.eject(now_ms, &mut self.random))
    }

    /// The instance has left the list, or is another.
    pub fn forget(&mut self, id: &str) {
        self.failed.remove(id);
    }
}

impl Record {
    fn eject(&mut self, now_ms: u64, random: &mut Random) -> u64 {
        self.ejections += 1;
        let doubled = FIRST_MS << (self.ejections - 1).min(16);
        let length = doubled.min(LONGEST_MS) * (900 + random.below(201)) / 1000;
        self.out_until_ms = Some(now_ms + length);
        length
    }
}

const FIRST_MS: u64 = 1000;
const LONGEST_MS: u64 = 30_000;
const FORGET_MS: u64 = 60_000;
