//! What a balanced channel knows of its instances. No I/O and no clock.

use super::super::balance::health::{Health, Verdict};
use super::super::balance::instance::{Instance, VersionRange};
use super::super::balance::latency::Latency;
use super::super::balance::list::{Change, List};
use super::super::balance::members::{Members, Wanted};
use super::super::balance::pick::Picker;
use super::super::balance::random::Random;
use super::super::balance::retry::{Budget, Latencies, back_off};
use super::super::error::CalculateError;
use super::super::events::Event;
use super::super::options::Options;
use super::super::pool::Pool;
use super::super::resolve::Update;
use super::super::source::Source;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Lists, members, health and budget of one channel.
#[derive(Debug)]
pub(super) struct State {
    options: Options,
    /// That are asked for.
    versions: Option<VersionRange>,
    list: List,
    members: Members,
    health: Health,
    picker: Picker,
    budget: Budget,
    latencies: Latencies,
    random: Random,
    /// In the order of the members.
    handles: Vec<Arc<Handle>>,
    /// That have left the list; those of them that still have calls in flight.
    gone: Vec<Weak<Handle>>,
    /// Why there is no list, if somebody said so.
    complaint: Option<String>,
    closed: bool,
}

/// An instance to call.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) id: String,
    pub(super) pool: Pool,
    in_flight: Arc<AtomicU32>,
    /// By whose name it is called; 0: by the plain one.
    version: AtomicU64,
}

/// A call in flight, counted until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight<'a>(&'a AtomicU32);

impl Handle {
    /// The version of the service by whose name it is called; none: by the plain name.
    pub(super) fn version(&self) -> Option<u64> {
        Some(self.version.load(Ordering::Relaxed)).filter(|&version| version > 0)
    }

    pub(super) fn count_call(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    pub(super) fn new(source: &Source, options: &Options) -> State {
        let wanted = Wanted {
            versions: source.versions(),
            group: source.group().to_owned(),
            zone: source.zone().unwrap_or(&options.zone).to_owned(),
        };
        let mut random = Random::new();
        let warm_up_ms = options.warm_up.as_millis() as u64;
        let (seeds, counter) = ([random.next_u64(), random.next_u64()], random.below(1 << 20) as usize);
        State {
            options: options.clone(),
            versions: source.versions(),
            list: List::default(),
            members: Members::new(wanted),
            health: Health::new(Random::seeded(seeds[0])),
            picker: Picker::new(options.balance, warm_up_ms, Random::seeded(seeds[1]), counter),
            budget: Budget::new(0),
            latencies: Latencies::default(),
            random,
            handles: Vec::new(),
            gone: Vec::new(),
            complaint: None,
            closed: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.handles.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// Takes in what a resolver says. Gives what is to be told.
    pub(super) fn update(&mut self, update: Update, now_ms: u64) -> Vec<Event> {
        let changes = match update {
            Update::Cached(found) => self.list.cached(found),
            Update::Read(found) => self.list.read(now_ms, found),
            Update::Connected => {
                self.list.connected(now_ms);
                Vec::new()
            }
            Update::Lost => self.list.lost(),
            Update::Complaint(text) => {
                self.complaint = Some(text);
                Vec::new()
            }
            Update::Skipped(id, why) => return vec![Event::NodeSkipped(id, why)],
        };
        // Weights and the like change without being told.
        let known: Vec<Instance> = self.list.instances().cloned().collect();
        for instance in known {
            if self.members.place(&instance.id).is_some_and(|place| {
                let member = &self.members.at(place).instance;
                *member != instance && member.same_place(&instance)
            }) {
                if let Some(handle) = self.handle(&instance.id) {
                    handle.version.store(self.called_version(&instance), Ordering::Relaxed);
                }
                self.members.insert(instance, None);
                self.picker.changed();
            }
        }
        self.apply(changes, now_ms)
    }

    fn handle(&self, id: &str) -> Option<&Arc<Handle>> {
        self.handles.get(self.members.place(id)?)
    }

    fn called_version(&self, instance: &Instance) -> u64 {
        instance.called_version(self.versions).unwrap_or_default()
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now_ms: u64) -> Vec<Event> {
        let changes = self.list.tick(now_ms);
        self.apply(changes, now_ms)
    }

    fn apply(&mut self, changes: Vec<Change>, now_ms: u64) -> Vec<Event> {
        if !changes.is_empty() {
            self.picker.changed();
        }
        // Who is another under the same name goes first.
        let (downs, others): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| matches!(change, Change::Down { .. }));
        downs.into_iter().chain(others).map(|change| self.apply_one(change, now_ms)).collect()
    }

    fn apply_one(&mut self, change: Change, now_ms: u64) -> Event {
        match change {
            Change::Up { id, new } => {
                if let Some(instance) = self.list.instance(&id).cloned() {
                    let pool = Pool::new(&instance, &self.options);
                    let version = AtomicU64::new(self.called_version(&instance));
                    self.members.insert(instance, new.then_some(now_ms));
                    if let Some(place) = self.members.place(&id) {
                        let in_flight = self.members.at(place).in_flight.clone();
                        self.handles.insert(place, Arc::new(Handle { id: id.clone(), pool, in_flight, version }));
                    }
                }
                Event::InstanceUp(id)
            }
            Change::Down { id } => {
                if let Some(place) = self.members.place(&id) {
                    let handle = self.handles.remove(place);
                    handle.pool.retire();
                    self.gone.retain(|each| each.strong_count() > 0);
                    self.gone.push(Arc::downgrade(&handle));
                }
                self.members.remove(&id);
                self.health.forget(&id);
                Event::InstanceDown(id)
            }
            Change::EmptyIgnored => Event::ListEmptyIgnored,
            Change::Stale => Event::ListStale,
            Change::Fresh => Event::ListFresh,
        }
    }

    /// Who gets a call; of those not tried, when there is one.
    pub(super) fn pick(&mut self, now_ms: u64, key: Option<&[u8]>, tried: &[String]) -> Option<Arc<Handle>> {
        let tried: Vec<usize> = tried.iter().filter_map(|id| self.members.place(id)).collect();
        let place = self.picker.pick(&self.members, &self.health, now_ms, key, &tried)?;
        self.handles.get(place).cloned()
    }

    /// Whether there is somebody to call whom the call has not tried.
    pub(super) fn has_others(&self, tried: impl Fn(&str) -> bool) -> bool {
        self.members.has_others(tried)
    }

    pub(super) fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    pub(super) fn back_off(&mut self, retry: u32) -> Duration {
        back_off(retry, &mut self.random)
    }

    /// After how long a call is late.
    pub(super) fn late(&self) -> Option<Duration> {
        self.latencies.late()
    }

    /// An instance answered.
    pub(super) fn answered(&mut self, id: &str, now_ms: u64, latency: Duration) {
        if self.options.hedge {
            self.latencies.push(latency);
        }
        self.sample(id, now_ms, latency);
    }

    /// An instance took this long, and may not have answered.
    pub(super) fn sample(&mut self, id: &str, now_ms: u64, latency: Duration) {
        if let Some(place) = self.members.place(id) {
            self.members.at_mut(place).latency.sample(now_ms, latency.as_secs_f64() * 1000.0);
        }
    }

    /// An instance has too much to do: it is preferred less for a while.
    pub(super) fn avoid(&mut self, id: &str, now_ms: u64) {
        const WHILE_MS: u64 = 1000;
        if let Some(place) = self.members.place(id) {
            self.members.at_mut(place).avoided_until_ms = now_ms + WHILE_MS;
        }
    }

    /// An instance failed, after so long. What is to be told: it is left alone from now on, or removed.
    pub(super) fn failed(&mut self, id: &str, now_ms: u64, took: Duration, error: &CalculateError) -> Option<Event> {
        let place = self.members.place(id)?;
        if let Some(change) = self.list.failed(id) {
            return self.apply(vec![change], now_ms).pop();
        }
        self.members.at_mut(place).latency.failed(now_ms, took.as_secs_f64() * 1000.0);
        let State { members, health, .. } = self;
        let callable = members.callable();
        let ids = callable.iter().map(|&place| members.at(place).instance.id.as_str());
        let ejected = matches!(health.fail(id, now_ms, ids), Verdict::Ejected(_));
        if ejected {
            self.picker.changed();
        }
        ejected.then(|| Event::InstanceEjected(id.to_owned(), error.to_string()))
    }

    /// Those that are to be probed now.
    pub(super) fn take_due(&mut self, now_ms: u64) -> Vec<Arc<Handle>> {
        let due = self.health.take_due(now_ms);
        due.iter().filter_map(|id| self.handle(id).cloned()).collect()
    }

    /// A probe ended. Whether the instance is well again.
    pub(super) fn probed(&mut self, id: &str, now_ms: u64, well: bool) -> bool {
        let returned = match well {
            true => {
                if let Some(place) = self.members.place(id) {
                    self.members.at_mut(place).latency = Latency::default();
                }
                self.health.probe_well(id)
            }
            false => {
                self.health.probe_failed(id, now_ms);
                false
            }
        };
        self.picker.changed();
        returned
    }

    /// When there is something to do next, apart from what is told.
    pub(super) fn next_look_ms(&self) -> Option<u64> {
        self.health.next_due_ms()
    }

    /// Whether removals are held back.
    pub(super) fn holds_back(&self) -> bool {
        self.list.holds_back()
    }

    pub(super) fn handles(&self) -> Vec<Arc<Handle>> {
        self.handles.clone()
    }

    /// What is in the list, for the disk.
    pub(super) fn instances(&self) -> Vec<Instance> {
        self.list.instances().cloned().collect()
    }

    /// Takes no more calls. Gives the connections to be closed.
    pub(super) fn close(&mut self) -> Vec<Arc<Handle>> {
        self.closed = true;
        let gone = self.gone.drain(..).filter_map(|each| each.upgrade());
        gone.chain(self.handles.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_names_somebody_twice_leaves_the_others_their_own_connections() {
        let mut state = State::new(&Source::Typed(Vec::new()), &Options::default());
        let at = |id: &str, port| Instance::at(id, "127.0.0.1", Some(port));
        state.update(Update::Cached(vec![at("a", 1), at("a", 2), at("b", 3)]), 0);
        assert_eq!(state.count(), 2);
        for id in ["a", "b"] {
            let others = [if id == "a" { "b" } else { "a" }.to_owned()];
            let picked = state.pick(0, None, &others).expect("somebody");
            assert_eq!(picked.id, id);
        }
    }

    #[test]
    fn closing_reaches_those_that_have_left_with_calls_in_flight() {
        let mut state = State::new(&Source::Typed(Vec::new()), &Options::default());
        let at = |id: &str, port| Instance::at(id, "127.0.0.1", Some(port));
        state.update(Update::Connected, 0);
        state.update(Update::Read(vec![at("a", 1), at("b", 2), at("c", 3)]), 0);
        let called = state.pick(0, None, &["b".to_owned(), "c".to_owned()]).expect("somebody");
        state.update(Update::Read(vec![at("c", 3)]), 1);
        let later = state.tick(60_000);
        assert_eq!(later.len(), 2, "{later:?}");
        let closed: Vec<String> = state.close().iter().map(|handle| handle.id.clone()).collect();
        assert_eq!((called.id.as_str(), closed), ("a", vec!["a".to_owned(), "c".to_owned()]));
    }
}
