//! Random numbers for choices that need no secrecy.

/// Splitmix64: <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A source whose first state is `seed`: the same seed gives the same numbers.
    pub fn seeded(seed: u64) -> Random {
        Random { state: seed }
    }

    /// A source that no other client has.
    pub fn new() -> Random {
        use std::hash::{BuildHasher, RandomState};
        Random::seeded(RandomState::new().hash_one(std::process::id()))
    }

    /// Any number of 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is at most 2³²; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((self.next_u64() >> 32) * n) >> 32
    }
}

impl Default for Random {
    fn default() -> Self {
        Random::new()
    }
}
