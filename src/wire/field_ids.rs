//! Field ids of the compact protocol: each is sent as the difference to the one before it in the same struct.

/// The ids of the fields last read, or written.
#[derive(Debug, Default)]
pub(super) struct FieldIds {
    /// The one of the innermost struct; 0 before its first.
    pub(super) last: i16,
    /// Those of the structs outside it, and of those further in: most messages are shallow, and need no memory for this.
    outer: [i16; INLINE],
    further: Vec<i16>,
    depth: usize,
}

impl FieldIds {
    #[inline]
    pub(super) fn begin_struct(&mut self) {
        let last = std::mem::take(&mut self.last);
        match self.outer.get_mut(self.depth) {
            Some(outer) => *outer = last,
            None => self.further.push(last),
        }
        self.depth += 1;
    }

    #[inline]
    pub(super) fn end_struct(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.last = match self.outer.get(self.depth) {
            Some(outer) => *outer,
            None => self.further.pop().unwrap_or_default(),
        };
    }
}

const INLINE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_struct_has_its_last_id_at_every_depth() {
        let mut ids = FieldIds::default();
        for depth in 0..3 * INLINE as i16 {
            ids.last = depth;
            ids.begin_struct();
            assert_eq!(ids.last, 0);
        }
        for depth in (0..3 * INLINE as i16).rev() {
            ids.end_struct();
            assert_eq!(ids.last, depth);
        }
    }
}
