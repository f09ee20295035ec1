//! What a client of many instances does beside answering: events to subscribe to, and counts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that happened to a client of many instances.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An instance is in the list.
    InstanceUp(String),
    /// An instance is not in the list any more.
    InstanceDown(String),
    /// An instance failed and is left alone for a while; why it did.
    InstanceEjected(String, String),
    /// An instance that was left alone answered a probe.
    InstanceReturned(String),
    /// A call is made again; the instance that failed, and why.
    Retry(String, String),
    /// A second copy of a late call is sent, to this instance.
    Hedge(String),
    /// The list may be out of date: the registry is out of reach, or the list is from the disk.
    ListStale,
    /// The list is up to date again.
    ListFresh,
    /// The registry named no instance, which is not believed.
    ListEmptyIgnored,
    /// A node of the registry is no instance; which, and what is wrong with it.
    NodeSkipped(String, String),
}

/// Who is told of events. It is called where they happen: it must not block.
pub type Subscriber = Arc<dyn Fn(&Event) + Send + Sync>;

/// Counts since the client was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were made.
    pub calls: u64,
    /// Calls that gave an error in the end, other than a declared exception.
    pub failures: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Retries that the budget did not allow.
    pub retries_denied: u64,
    /// Second copies of late calls.
    pub hedges: u64,
    /// How often an instance was left alone.
    pub ejections: u64,
    /// Instances in the list now.
    pub instances: u64,
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: Counter,
    pub(super) failures: Counter,
    pub(super) retries: Counter,
    pub(super) retries_denied: Counter,
    pub(super) hedges: Counter,
    pub(super) ejections: Counter,
    pub(super) instances: Counter,
}

/// A number that many count with.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set(&self, value: usize) {
        self.0.store(value as u64, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            calls: self.calls.value(),
            failures: self.failures.value(),
            retries: self.retries.value(),
            retries_denied: self.retries_denied.value(),
            hedges: self.hedges.value(),
            ejections: self.ejections.value(),
            instances: self.instances.value(),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::InstanceUp(id) => write!(f, "instance {id} is in the list"),
            Event::InstanceDown(id) => write!(f, "instance {id} is not in the list any more"),
            Event::InstanceEjected(id, why) => write!(f, "instance {id} is left alone for a while: {why}"),
            Event::InstanceReturned(id) => write!(f, "instance {id} is well again"),
            Event::Retry(id, why) => write!(f, "a call is made again after {id}: {why}"),
            Event::Hedge(id) => write!(f, "a late call is sent to {id}, too"),
            Event::ListStale => f.write_str("the list of instances may be out of date"),
            Event::ListFresh => f.write_str("the list of instances is up to date again"),
            Event::ListEmptyIgnored => f.write_str("the registry names no instance: the list is kept"),
            Event::NodeSkipped(id, why) => write!(f, "node {id} is skipped: {why}"),
        }
    }
}
