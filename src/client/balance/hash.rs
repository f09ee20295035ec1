//! Consistent hashing with bounded load: the same key goes to the same instance, from every client of every language.
//!
//! Each instance has points on a ring of 64-bit numbers, about 40 for a weight of 100. A key belongs to the instance of
//! the first point at or after its own place; one that has more than its share of the calls in flight is passed over
//! (Mirrokni, Thorup, Zadimoghaddam: Consistent Hashing with Bounded Loads, 2016; the bound is 1.25 times the share).

/// FNV-1a of 64 bits with a finalizer that spreads its result over all bits.
pub fn hash64(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325u64;
    for &byte in bytes {
        h = (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// How many points an instance of this weight has.
pub fn points(weight: u32) -> u32 {
    ((weight * 40 + 50) / 100).max(1)
}

/// The points of some instances, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    points: Vec<(u64, u32)>,
}

/// What bounds an instance's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Its weight.
    pub weight: u32,
    /// Its calls in flight.
    pub in_flight: u32,
}

impl Ring {
    /// A ring of instances, given as id and weight in the order of their ids' bytes. They are known by their place in it.
    pub fn new<'a>(instances: impl Iterator<Item = (&'a str, u32)>) -> Ring {
        let mut places = Vec::new();
        for (place, (id, weight)) in instances.enumerate() {
            for k in 0..points(weight) {
                places.push((hash64(format!("{id}#{k}").as_bytes()), place as u32));
            }
        }
        // Of points that collide the lower id stays: it comes first.
        places.sort_unstable();
        places.dedup_by_key(|(point, _)| *point);
        Ring { points: places }
    }

    /// The points, each with the place of its instance.
    pub fn places(&self) -> impl Iterator<Item = (u64, usize)> {
        self.points.iter().map(|&(point, place)| (point, place as usize))
    }

    /// The place of the instance that gets `key`; none when there is no instance. `load` gives an instance's load.
    pub fn pick(&self, key: &[u8], count: usize, load: impl Fn(usize) -> Load) -> Option<usize> {
        let start = self.points.partition_point(|(point, _)| *point < hash64(key));
        let clockwise = || self.points[start..].iter().chain(&self.points[..start]).map(|(_, place)| *place as usize);
        let (mut calls, mut weights) = (0, 0);
        for place in 0..count {
            calls += u64::from(load(place).in_flight);
            weights += u64::from(load(place).weight);
        }
        let within = |place: &usize| {
            let Load { weight, in_flight } = load(*place);
            u64::from(in_flight) < (5 * (calls + 1) * u64::from(weight)).div_ceil(4 * weights)
        };
        clockwise().find(within).or_else(|| clockwise().next())
    }
}
