//! Which instances are in force, whatever the registry says: nobody is thrown away because it is down, empty, or
//! blinks. Pinned by `idl/vectors/list.tsv`.

use super::instance::Instance;
use std::collections::BTreeMap;

/// The list in force, and what is held back.
#[derive(Debug, Default)]
pub struct List {
    instances: BTreeMap<String, Instance>,
    missing: BTreeMap<String, Missing>,
    session: Session,
    /// When the session was there again, after it had been lost.
    connected_at_ms: u64,
    stale: bool,
    /// A list has come: who comes after it is new.
    begun: bool,
}

/// Somebody in the list whom the registry did not name.
#[derive(Clone, Copy, Debug)]
struct Missing {
    since_ms: u64,
    hold_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Session {
    connected: bool,
    was_lost: bool,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An instance is in the list. It warms up where it came after the first list.
    Up {
        /// Which.
        id: String,
        /// Whether it was not in the first list.
        new: bool,
    },
    /// An instance is not in the list any more, or is another under the same name.
    Down {
        /// Which.
        id: String,
    },
    /// The registry named nobody, which is not believed.
    EmptyIgnored,
    /// The list may be out of date.
    Stale,
    /// The list is up to date again.
    Fresh,
}

impl List {
    /// Those in force.
    pub fn instances(&self) -> impl ExactSizeIterator<Item = &Instance> {
        self.instances.values()
    }

    /// One of those in force.
    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.get(id)
    }

    /// A list from the disk, at a cold start. It is taken while there is no other.
    pub fn cached(&mut self, found: Vec<Instance>) -> Vec<Change> {
        if !self.instances.is_empty() || found.is_empty() {
            return Vec::new();
        }
        let mut changes = self.take(by_id(found));
        changes.extend(self.go_stale());
        changes
    }

    /// All that the registry names at `now_ms`.
    pub fn read(&mut self, now_ms: u64, found: Vec<Instance>) -> Vec<Change> {
        if found.is_empty() {
            return if self.instances.is_empty() { Vec::new() } else { vec![Change::EmptyIgnored] };
        }
        let before = self.instances.len();
        let found = by_id(found);
        self.missing.retain(|id, _| !found.contains_key(id));
        for id in self.instances.keys().filter(|id| !found.contains_key(*id)) {
            self.missing.entry(id.clone()).or_insert(Missing { since_ms: now_ms, hold_ms: HOLD_MS });
        }
        if 2 * self.missing.len() > before {
            self.missing.values_mut().for_each(|missing| missing.hold_ms = HOLD_MASS_MS);
        }
        let mut changes = self.take(found);
        if std::mem::take(&mut self.stale) {
            changes.push(Change::Fresh);
        }
        changes
    }

    /// The registry's session is there.
    pub fn connected(&mut self, now_ms: u64) {
        self.session.connected = true;
        self.connected_at_ms = now_ms;
    }

    /// The registry's session is lost.
    pub fn lost(&mut self) -> Vec<Change> {
        self.session = Session { connected: false, was_lost: true };
        self.go_stale().into_iter().collect()
    }

    /// Time has passed: removals that are due happen now.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Change> {
        let settled = !self.session.was_lost || now_ms.saturating_sub(self.connected_at_ms) >= HOLD_RECONNECTED_MS;
        if !self.session.connected || !settled {
            return Vec::new();
        }
        let is_due = |missing: &Missing| now_ms.saturating_sub(missing.since_ms) >= missing.hold_ms;
        let due: Vec<String> =
            self.missing.iter().filter(|(_, missing)| is_due(missing)).map(|(id, _)| id.clone()).collect();
        for id in &due {
            self.missing.remove(id);
            self.instances.remove(id);
        }
        due.into_iter().map(|id| Change::Down { id }).collect()
    }

    /// A call to an instance failed. One that the registry, which is there, does not name is removed: two say that it is
    /// gone. But not the last one.
    pub fn failed(&mut self, id: &str) -> Option<Change> {
        if !self.session.connected || self.instances.len() == 1 || self.missing.remove(id).is_none() {
            return None;
        }
        self.instances.remove(id);
        Some(Change::Down { id: id.to_owned() })
    }

    /// Whether removals are held back: then [`List::tick`] is to be called from time to time.
    pub fn holds_back(&self) -> bool {
        !self.missing.is_empty()
    }

    /// What has changed is in the order of the ids, as `found` is.
    fn take(&mut self, found: BTreeMap<String, Instance>) -> Vec<Change> {
        let new = self.begun;
        let (mut ups, mut downs) = (Vec::new(), Vec::new());
        for (id, instance) in found {
            match self.instances.insert(id.clone(), instance) {
                Some(before) if before.same_place(&self.instances[&id]) => {}
                Some(_) => {
                    downs.push(Change::Down { id: id.clone() });
                    ups.push(Change::Up { id, new });
                }
                None => ups.push(Change::Up { id, new }),
            }
        }
        self.begun = true;
        ups.append(&mut downs);
        ups
    }

    fn go_stale(&mut self) -> Option<Change> {
        (!std::mem::replace(&mut self.stale, true)).then_some(Change::Stale)
    }
}

/// Each of them once: of those with one id, as a spoilt cache may have them, the last.
fn by_id(found: Vec<Instance>) -> BTreeMap<String, Instance> {
    found.into_iter().map(|instance| (instance.id.clone(), instance)).collect()
}

const HOLD_MS: u64 = 2000;
const HOLD_MASS_MS: u64 = 30_000;
const HOLD_RECONNECTED_MS: u64 = 5000;
