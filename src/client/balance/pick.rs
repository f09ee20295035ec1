//! The strategies: which of those that may be called gets the next call. Pinned by `idl/vectors/balance.tsv`.

use super::hash::{Load, Ring};
use super::health::Health;
use super::members::Members;
use super::random::Random;
use std::str::FromStr;

/// How calls are spread over instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// Of two drawn by weight, the one with less to do: calls in flight times latency. The default.
    #[default]
    LeastLoaded,
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// Any, by weight.
    Weighted,
    /// By a key of the call: the same key, the same instance. Calls without a key go by least load.
    Hash,
}

/// Picks instances, and remembers what does not change from pick to pick.
#[derive(Debug)]
pub struct Picker {
    balance: Balance,
    warm_up_ms: u64,
    random: Random,
    counter: usize,
    /// Whom to pick from when nothing was tried yet; none when something has changed since.
    usual: Option<Group>,
}

/// Some members to pick from.
#[derive(Debug)]
struct Group {
    /// Their places among the members.
    places: Vec<usize>,
    /// The sum of the effective weights up to and with each of them.
    cumulative: Vec<u64>,
    /// Made when a key asks for it first.
    ring: Option<Ring>,
    /// One of them warms up: the weights change with time.
    warms_up: bool,
}

impl Picker {
    /// A picker with a source of random numbers and a place to begin with.
    pub fn new(balance: Balance, warm_up_ms: u64, random: Random, counter: usize) -> Picker {
        Picker { balance, warm_up_ms, random, counter, usual: None }
    }

    /// Says that members or their health have changed.
    pub fn changed(&mut self) {
        self.usual = None;
    }

    /// The place of the member that gets a call: of those not yet `tried`, when there is one. None when nobody may be
    /// called.
    pub fn pick(
        &mut self,
        members: &Members,
        health: &Health,
        now_ms: u64,
        key: Option<&[u8]>,
        tried: &[usize],
    ) -> Option<usize> {
        if !tried.is_empty() {
            let mut untried = self.group(members, health, now_ms, tried);
            return self.pick_of(&mut untried, members, now_ms, key);
        }
        let mut usual = match self.usual.take() {
            Some(group) if !group.warms_up => group,
            // What changes while somebody warms up are the effective weights, by which no ring goes.
            kept => Group { ring: kept.and_then(|group| group.ring), ..self.group(members, health, now_ms, tried) },
        };
        let picked = self.pick_of(&mut usual, members, now_ms, key);
        self.usual = Some(usual);
        picked
    }

    fn group(&self, members: &Members, health: &Health, now_ms: u64, tried: &[usize]) -> Group {
        let places = members.choice(health, tried);
        let mut sum = 0;
        let weights = places.iter().map(|&place| {
            sum += members.at(place).effective_weight(now_ms, self.warm_up_ms);
            sum
        });
        let cumulative = weights.collect();
        let warms_up = places.iter().any(|&place| members.at(place).warms_up(now_ms, self.warm_up_ms));
        Group { places, cumulative, ring: None, warms_up }
    }

    fn pick_of(&mut self, group: &mut Group, members: &Members, now_ms: u64, key: Option<&[u8]>) -> Option<usize> {
        match group.places[..] {
            [] => return None,
            [only] => return Some(only),
            _ => {}
        }
        Some(match (self.balance, key) {
            (Balance::RoundRobin, _) => {
                let place = group.places[self.counter % group.places.len()];
                self.counter = self.counter.wrapping_add(1);
                place
            }
            (Balance::Random, _) => group.places[self.random.below(group.places.len() as u64) as usize],
            (Balance::Weighted, _) => group.places[group.weighted(&mut self.random)],
            (Balance::Hash, Some(key)) => group.by_key(members, key),
            (Balance::Hash | Balance::LeastLoaded, _) => group.least_loaded(members, &mut self.random, now_ms),
        })
    }
}

impl Group {
    fn sum(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or_default()
    }

    fn weight(&self, index: usize) -> u64 {
        self.cumulative[index] - self.before(index)
    }

    fn before(&self, index: usize) -> u64 {
        index.checked_sub(1).map_or(0, |previous| self.cumulative[previous])
    }

    fn weighted(&self, random: &mut Random) -> usize {
        let x = random.below(self.sum());
        self.cumulative.partition_point(|&sum| sum <= x)
    }

    /// As [`Group::weighted`], but not `without`.
    fn weighted_without(&self, without: usize, random: &mut Random) -> usize {
        let mut x = random.below(self.sum() - self.weight(without));
        if x >= self.before(without) {
            x += self.weight(without);
        }
        self.cumulative.partition_point(|&sum| sum <= x)
    }

    fn least_loaded(&self, members: &Members, random: &mut Random, now_ms: u64) -> usize {
        let cost = |index: usize| members.at(self.places[index]).cost(now_ms, self.weight(index));
        let first = self.weighted(random);
        let cost_of_first = cost(first);
        if cost_of_first == u128::from(self.weight(first)) {
            // It has nothing to do and is fast: nobody costs less, and of lone calls most end here.
            return self.places[first];
        }
        let second = self.weighted_without(first, random);
        let first_wins =
            cost_of_first * u128::from(self.weight(second)) <= cost(second) * u128::from(self.weight(first));
        self.places[if first_wins { first } else { second }]
    }

    fn by_key(&mut self, members: &Members, key: &[u8]) -> usize {
        let Group { places, ring, .. } = self;
        let instance = |index: usize| &members.at(places[index]).instance;
        let ring = ring.get_or_insert_with(|| {
            Ring::new((0..places.len()).map(|index| (instance(index).id.as_str(), instance(index).weight)))
        });
        let load = |index: usize| Load { weight: instance(index).weight, in_flight: members.at(places[index]).calls() };
        places[ring.pick(key, places.len(), load).unwrap_or_default()]
    }
}

impl FromStr for Balance {
    type Err = String;

    fn from_str(text: &str) -> Result<Balance, String> {
        Ok(match text {
            "least_loaded" => Balance::LeastLoaded,
            "round_robin" => Balance::RoundRobin,
            "random" => Balance::Random,
            "weighted" => Balance::Weighted,
            "hash" => Balance::Hash,
            _ => {
                let known = "least_loaded, round_robin, random, weighted or hash";
                return Err(format!("{text:?} is no way to balance; write {known}"));
            }
        })
    }
}
