//! What both input protocols check alike: nesting, the types of values, the counts of containers.

use super::types::fewest_bytes;
use super::{Limits, MAX_DEPTH, Malformed, Protocol};
use thrift::protocol::TType;

/// Which types may come next, at every depth. Generated code trusts the type tags on the wire (W9) and reserves what a
/// count promises (W16); with this in the protocol below it, neither can do harm.
#[derive(Debug)]
pub(super) struct Scopes {
    /// The innermost scope.
    current: Expected,
    /// The scopes outside it, and those further in: most messages are shallow, and clearing room for the deepest would
    /// cost each of them.
    outer: [Expected; INLINE],
    further: Vec<Expected>,
    depth: usize,
    depth_limit: usize,
    /// The bytes that all containers so far must have at the least. No byte counts twice, so in a message that is
    /// whole they are no more than it has; claims inside claims cannot add up to more memory than arrived.
    claimed_bytes: usize,
}

/// The type of the next value and of the one after it: equal in lists, keys and values in maps.
#[derive(Clone, Copy, Debug)]
struct Expected {
    next: TType,
    after: TType,
}

impl Scopes {
    /// Nothing has begun: one struct, the arguments or the result, is expected.
    #[inline]
    pub(super) fn new(limits: &Limits) -> Scopes {
        Scopes {
            current: Expected::same(TType::Struct),
            outer: [Expected::same(TType::Stop); INLINE],
            further: Vec::new(),
            depth: 0,
            claimed_bytes: 0,
            depth_limit: limits.depth.min(MAX_DEPTH),
        }
    }

    /// A value of type `kind` is about to be read.
    #[inline]
    pub(super) fn value(&mut self, kind: TType) -> Result<(), Malformed> {
        if self.current.next != kind {
            return Err(self.mismatch(kind));
        }
        self.current = Expected { next: self.current.after, after: kind };
        Ok(())
    }

    /// A struct begins.
    #[inline]
    pub(super) fn begin_struct(&mut self) -> Result<(), Malformed> {
        self.value(TType::Struct)?;
        self.push(Expected::same(TType::Stop))
    }

    /// A field's header was read.
    #[inline]
    pub(super) fn field(&mut self, kind: TType) {
        self.current = Expected::same(kind);
    }

    /// A list, set or map begins, for which [`Scopes::value`] has found a place; `elements` are the types of elements, or
    /// of keys and values. What is in it must fit in the bytes that follow.
    pub(super) fn begin_container(
        &mut self,
        elements: (TType, Option<TType>),
        count: i32,
        room: Room<'_>,
    ) -> Result<(), Malformed> {
        let (first, second) = elements;
        let fewest = fewest_bytes(room.protocol, first) + second.map_or(0, |kind| fewest_bytes(room.protocol, kind));
        let count = usize::try_from(count).map_err(|_| Malformed::from("a container of a negative count"))?;
        if count > room.limits.container_items {
            let most = room.limits.container_items;
            return Err(format!("a container of {count} items; at most {most} are taken").into());
        }
        let bytes = count.saturating_mul(fewest);
        self.claimed_bytes = self.claimed_bytes.saturating_add(bytes);
        if bytes > room.bytes_left || self.claimed_bytes > room.bytes_in_all {
            return Err(format!("a container of {count} items in {} bytes", room.bytes_left).into());
        }
        self.push(Expected { next: first, after: second.unwrap_or(first) })
    }

    /// The innermost struct or container ends. `true` when it was the outermost.
    #[inline]
    pub(super) fn end(&mut self) -> bool {
        self.depth = self.depth.saturating_sub(1);
        self.current = match self.outer.get(self.depth) {
            Some(outer) => *outer,
            None => self.further.pop().unwrap_or(Expected::same(TType::Stop)),
        };
        self.depth == 0
    }

    #[inline]
    fn push(&mut self, inner: Expected) -> Result<(), Malformed> {
        if self.depth >= self.depth_limit {
            return Err(format!("nested more than {} deep", self.depth_limit).into());
        }
        match self.outer.get_mut(self.depth) {
            Some(outer) => *outer = self.current,
            None => self.further.push(self.current),
        }
        self.current = inner;
        self.depth += 1;
        Ok(())
    }

    #[cold]
    fn mismatch(&self, kind: TType) -> Malformed {
        format!("a value of type {} where {kind} belongs", self.current.next).into()
    }
}

const INLINE: usize = 8;

/// What a container has to fit into.
#[derive(Clone, Copy)]
pub(super) struct Room<'a> {
    pub(super) protocol: Protocol,
    pub(super) limits: &'a Limits,
    pub(super) bytes_left: usize,
    /// The body's length.
    pub(super) bytes_in_all: usize,
}

impl Expected {
    #[inline]
    const fn same(kind: TType) -> Expected {
        Expected { next: kind, after: kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_inside_claims_do_not_add_up_to_more_than_arrived() {
        let limits = Limits::default();
        let mut scopes = Scopes::new(&limits);
        let mut claim = |count, bytes_left| {
            let room = Room { protocol: Protocol::Binary, limits: &limits, bytes_left, bytes_in_all: 100 };
            scopes.begin_container((TType::I08, None), count, room)
        };
        claim(60, 90).expect("60 of 100 bytes");
        claim(40, 80).expect("all of them");
        let error = claim(10, 70).expect_err("more than all of them").to_string();
        assert_eq!(error, "a container of 10 items in 70 bytes");
    }
}
