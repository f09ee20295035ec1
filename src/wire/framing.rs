//! Where messages end: found in what is read, marked in what is written.

use super::message::checked_frame_length;
use super::skip::Skip;
use super::{Encoding, Framing, Limits, Malformed};
use std::ops::Range;

/// Cuts one connection's bytes into messages.
#[derive(Debug)]
pub struct Splitter {
    encoding: Encoding,
    /// The walk over an unframed message that has begun to arrive. It is kept only while one is incomplete.
    skip: Option<Box<Skip>>,
}

/// What the front of a connection's bytes is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// A whole message.
    Message {
        /// Where it stands, without its frame header; in a header transport, where its envelope does.
        message: Range<usize>,
        /// Bytes to take off the front before the next look: the message and its frame header.
        consumed: usize,
    },
    /// The start of a message.
    Incomplete,
}

impl Splitter {
    /// A splitter that stands before a message's first byte.
    pub fn new(encoding: Encoding) -> Splitter {
        Splitter { encoding, skip: None }
    }

    /// What this connection speaks.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Looks at `bytes`, which starts where the last message ended. After [`Split::Incomplete`] it must be called
    /// with the same bytes and more.
    ///
    /// # Errors
    /// The message is over a limit or, unframed, is not a message at all. The stream has lost its place then.
    pub fn split(&mut self, bytes: &[u8], limits: &Limits) -> Result<Split, Malformed> {
        match self.encoding.framing {
            Framing::Framed => framed(bytes, limits.message_bytes),
            Framing::THeader | Framing::TTHeader => framed(bytes, limits.envelope_bytes()),
            Framing::Unframed => self.unframed(bytes, limits),
        }
    }

    fn unframed(&mut self, bytes: &[u8], limits: &Limits) -> Result<Split, Malformed> {
        if bytes.is_empty() {
            return Ok(Split::Incomplete);
        }
        let protocol = self.encoding.protocol;
        let mut skip = self.skip.take().map_or_else(|| Skip::new(protocol), |begun| *begun);
        match skip.advance(bytes, limits)? {
            Some(length) => Ok(Split::Message { message: 0..length, consumed: length }),
            None => {
                self.skip = Some(Box::new(skip));
                Ok(Split::Incomplete)
            }
        }
    }
}

fn framed(bytes: &[u8], longest: usize) -> Result<Split, Malformed> {
    let Some(header) = bytes.first_chunk::<FRAME_HEADER_BYTES>() else { return Ok(Split::Incomplete) };
    let length = checked_frame_length(i32::from_be_bytes(*header), longest)?;
    let end = FRAME_HEADER_BYTES + length;
    if bytes.len() < end {
        return Ok(Split::Incomplete);
    }
    Ok(Split::Message { message: FRAME_HEADER_BYTES..end, consumed: end })
}

/// The message (or envelope) at the front of `bytes`, as far as it is there, without its frame header.
pub fn message_start(framing: Framing, bytes: &[u8]) -> &[u8] {
    match framing {
        Framing::Framed | Framing::THeader | Framing::TTHeader => bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default(),
        Framing::Unframed => bytes,
    }
}

/// Leaves room for a frame's header. The result goes to [`end_frame`]. In a header transport both do nothing: its
/// frames are written round finished messages, by [`Envelope::close`](super::Envelope::close).
pub fn begin_frame(framing: Framing, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    if framing == Framing::Framed {
        out.extend_from_slice(&[0; FRAME_HEADER_BYTES]);
    }
    start
}

/// Writes the header of the frame that began at `start` and ends where `out` ends.
pub fn end_frame(framing: Framing, start: usize, out: &mut [u8]) {
    if framing == Framing::Framed {
        let length = (out.len() - start - FRAME_HEADER_BYTES) as u32;
        out[start..start + FRAME_HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
    }
}

/// The length that goes before each framed message: a big-endian i32.
pub const FRAME_HEADER_BYTES: usize = 4;
