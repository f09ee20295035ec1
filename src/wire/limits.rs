//! What one message may cost us.

/// The deepest nesting that can be asked for with [`Limits::depth`].
pub const MAX_DEPTH: usize = 128;

/// The longest method name, in bytes, that is looked at; it includes a service prefix.
pub const MAX_NAME_BYTES: usize = 1024;

/// The most headers in one envelope, of both sorts together.
pub const MAX_HEADERS: usize = 1024;

/// The most bytes that the headers of one envelope may take, with their lengths and padding. Apache's C++ library has the
/// same bound, as had Kitex for long.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Bounds on one message. Each is checked before anything is reserved for what it bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes, without its frame header. Thrift's libraries use 16,384,000 for a frame.
    pub message_bytes: usize,
    /// Longest string or binary, in bytes.
    pub string_bytes: usize,
    /// Most elements in a list or set, most pairs in a map.
    pub container_items: usize,
    /// Deepest nesting of structs and containers, at most [`MAX_DEPTH`]. Thrift's libraries use 64.
    pub depth: usize,
}

impl Limits {
    /// The longest frame of a header transport, in bytes: the longest message, with the most headers before it.
    pub fn envelope_bytes(&self) -> usize {
        /// A frame's fixed start, and the length of a frame inside.
        const REST: usize = 10 + 4;
        self.message_bytes.saturating_add(MAX_HEADER_BYTES + REST)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { message_bytes: 16_384_000, string_bytes: 16_384_000, container_items: 1_000_000, depth: 64 }
    }
}
