//! What a client knows of each instance in its list, and whom it may pick from.

use super::health::Health;
use super::instance::{Instance, VersionRange};
use super::latency::Latency;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// An instance in the list, and how it does.
#[derive(Debug)]
pub struct Member {
    /// What is known of it.
    pub instance: Instance,
    /// Its calls that are not answered; whoever makes one counts it.
    pub in_flight: Arc<AtomicU32>,
    /// How slow it is.
    pub latency: Latency,
    /// When it came, if it came after the first list: it warms up.
    pub came_at_ms: Option<u64>,
    /// Until then it is preferred less: it answered that it is overloaded.
    pub avoided_until_ms: u64,
}

/// What a client asks of instances.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The versions that it can do with.
    pub versions: Option<VersionRange>,
    /// The group.
    pub group: String,
    /// Its own zone; empty for none.
    pub zone: String,
}

/// The instances in the order of their ids.
#[derive(Debug)]
pub struct Members {
    wanted: Wanted,
    all: Vec<Member>,
}

impl Member {
    /// A member that is new at `came_at_ms`; none for one of the first list.
    pub fn new(instance: Instance, came_at_ms: Option<u64>) -> Member {
        let in_flight = Arc::default();
        Member { instance, in_flight, latency: Latency::default(), came_at_ms, avoided_until_ms: 0 }
    }

    /// Its weight, less while it warms up.
    pub fn effective_weight(&self, now_ms: u64, warm_up_ms: u64) -> u64 {
        let weight = u64::from(self.instance.weight);
        match self.came_at_ms.map(|came| now_ms.saturating_sub(came)) {
            Some(age) if age < warm_up_ms => (weight * warm_up_ms.max(10 * age) / (10 * warm_up_ms)).max(1),
            _ => weight,
        }
    }

    /// Whether it warms up.
    pub fn warms_up(&self, now_ms: u64, warm_up_ms: u64) -> bool {
        self.came_at_ms.is_some_and(|came| now_ms.saturating_sub(came) < warm_up_ms)
    }

    /// Calls in flight.
    pub fn calls(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// What one more call would cost, times its effective weight. Who has nothing to do costs the same, whatever its weight:
    /// the heavier one is drawn more often.
    pub fn cost(&self, now_ms: u64, weight: u64) -> u128 {
        let avoided = if now_ms < self.avoided_until_ms { 2 } else { 1 };
        let load = u128::from(self.calls()) * u128::from(USUAL_WEIGHT) + u128::from(weight);
        load * u128::from(self.latency.class(now_ms)) * avoided
    }

    fn is_callable(&self) -> bool {
        self.instance.enabled && self.instance.weight > 0
    }
}

impl Members {
    /// No members yet.
    pub fn new(wanted: Wanted) -> Members {
        Members { wanted, all: Vec::new() }
    }

    /// All of them, in the order of their ids.
    pub fn all(&self) -> &[Member] {
        &self.all
    }

    /// The member at a place of [`Members::all`].
    pub fn at(&self, place: usize) -> &Member {
        &self.all[place]
    }

    /// As [`Members::at`], to change it.
    pub fn at_mut(&mut self, place: usize) -> &mut Member {
        &mut self.all[place]
    }

    /// Where a member is.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.all.binary_search_by(|member| member.instance.id.as_str().cmp(id)).ok()
    }

    /// Adds an instance, or takes over what is new of one that is known.
    pub fn insert(&mut self, instance: Instance, came_at_ms: Option<u64>) {
        match self.all.binary_search_by(|member| member.instance.id.cmp(&instance.id)) {
            Ok(place) if self.all[place].instance.same_place(&instance) => self.all[place].instance = instance,
            Ok(place) => self.all[place] = Member::new(instance, came_at_ms),
            Err(place) => self.all.insert(place, Member::new(instance, came_at_ms)),
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, id: &str) -> Option<Member> {
        Some(self.all.remove(self.place(id)?))
    }

    /// Those that are enabled, have a weight, and are what the client asks for.
    pub fn callable(&self) -> Vec<usize> {
        self.places(|member| self.may_be_called(member))
    }

    fn may_be_called(&self, member: &Member) -> bool {
        self.fits(member) && member.is_callable()
    }

    /// Whether there is one among [`Members::callable`] that was not `tried`.
    pub fn has_others(&self, tried: impl Fn(&str) -> bool) -> bool {
        self.all.iter().any(|member| self.may_be_called(member) && !tried(&member.instance.id))
    }

    /// Whom to pick from: see `idl/vectors/balance.tsv`. Empty only when nobody may be called.
    pub fn choice(&self, health: &Health, tried: &[usize]) -> Vec<usize> {
        let callable = self.callable();
        let out = |place: &usize| health.is_out(&self.all[*place].instance.id);
        let candidates: Vec<usize> = callable.iter().copied().filter(|place| !out(place)).collect();
        let near = self.near(&candidates);
        let untried =
            |some: &[usize]| -> Vec<usize> { some.iter().copied().filter(|place| !tried.contains(place)).collect() };
        let in_order = [untried(&near), untried(&candidates), untried(&callable), candidates, callable];
        in_order.into_iter().find(|some| !some.is_empty()).unwrap_or_default()
    }

    /// Those of the client's own zone, where they are at least half of what the zone has.
    fn near(&self, candidates: &[usize]) -> Vec<usize> {
        if self.wanted.zone.is_empty() {
            return Vec::new();
        }
        let in_zone = |place: &usize| self.all[*place].instance.zone == self.wanted.zone;
        let weight = |places: &[usize]| -> u64 { places.iter().map(|&p| u64::from(self.all[p].instance.weight)).sum() };
        let near: Vec<usize> = candidates.iter().copied().filter(in_zone).collect();
        let whole: Vec<usize> = self.places(|member| self.fits(member)).into_iter().filter(in_zone).collect();
        if 2 * weight(&near) < weight(&whole) { Vec::new() } else { near }
    }

    fn fits(&self, member: &Member) -> bool {
        member.instance.fits(self.wanted.versions, &self.wanted.group)
    }

    fn places(&self, wanted: impl Fn(&Member) -> bool) -> Vec<usize> {
        (0..self.all.len()).filter(|&place| wanted(&self.all[place])).collect()
    }
}

/// In which calls in flight are counted against weights.
const USUAL_WEIGHT: u32 = 100;
