//! What header transports put round a message, and how to take it off and put it on again.
//!
//! Both of them, THeader and TTHeader, start a frame alike:
//!
//! | bytes | |
//! |---|---|
//! | 4 | length of what follows |
//! | 2 | magic number: `0fff` or `1000` |
//! | 2 | flags |
//! | 4 | sequence number |
//! | 2 | length of the header in words of 4 bytes |
//! | … | the header, padded with zeros: protocol, transforms, sections of keys and values |
//! | … | the message, transformed |

use super::framing::FRAME_HEADER_BYTES;
use super::header_content::Bytes;
use super::{Framing, Headers, Limits, MAX_HEADER_BYTES, Malformed, Protocol, theader, ttheader, zlib};
use std::borrow::Cow;

/// What a header transport carries round a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Which of the two it is: [`Framing::THeader`] or [`Framing::TTHeader`].
    pub framing: Framing,
    /// What the message inside is written in: [`Protocol::Binary`] or [`Protocol::Compact`].
    pub protocol: Protocol,
    /// The frame's own number. The reply's frame has the same, whatever number its message has.
    pub sequence_id: u32,
    /// The headers that came with it.
    pub headers: Headers,
    /// Sent back as they came, as Apache's libraries do.
    flags: u16,
    /// The protocol as the header says it. Volo writes 0, binary, before compact messages too.
    protocol_id: u8,
    /// The message is deflated, and so is the reply's.
    zlib: bool,
    /// The message has a frame of its own inside (Kitex calls this "TTHeaderFramed"), and so has the reply.
    inner_frame: bool,
}

impl Envelope {
    /// Takes the envelope off `frame`, a whole frame without its length. Gives it and the message inside.
    ///
    /// # Errors
    /// The frame is none of `framing`, its lengths contradict one another, it has more headers than
    /// [`MAX_HEADERS`](super::MAX_HEADERS) or more bytes of them than [`MAX_HEADER_BYTES`], a message over the limit,
    /// or asks for a transform or a protocol that is not spoken here.
    pub fn open<'a>(
        framing: Framing,
        frame: &'a [u8],
        limits: &Limits,
    ) -> Result<(Envelope, Cow<'a, [u8]>), Malformed> {
        debug_assert!(framing.is_header(), "{framing:?} has no envelopes");
        let start = Start::read(framing, frame)?;
        let mut header = Bytes::new(start.header);
        let content = match framing {
            Framing::TTHeader => ttheader::read(start.flags, &mut header)?,
            _ => theader::read(&mut header)?,
        };
        let mut message = Cow::Borrowed(start.message);
        let longest = longest_inflated(framing, limits).min(start.message.len().saturating_mul(MOST_INFLATION));
        for _ in 0..content.zlib_count {
            message = Cow::Owned(zlib::inflate(&message, longest)?);
        }
        let (protocol, inner_frame) = match framing {
            Framing::TTHeader => ttheader::look_inside(&message)?,
            _ => (theader::protocol(content.protocol_id)?, false),
        };
        if inner_frame {
            message = without_start(message);
        }
        if message.len() > limits.message_bytes {
            return Err(format!("a message of more than {} bytes in a frame", limits.message_bytes).into());
        }
        let envelope = Envelope {
            framing,
            protocol,
            sequence_id: start.sequence_id,
            headers: content.headers,
            flags: start.flags,
            protocol_id: content.protocol_id,
            zlib: content.zlib_count > 0,
            inner_frame,
        };
        Ok((envelope, message))
    }

    /// The envelope in which to tell a peer why [`Envelope::open`] refused its frame: with the frame's number, and a
    /// message in the binary protocol. `None` where the frame is none of `framing`.
    pub fn for_refusal(framing: Framing, frame: &[u8]) -> Option<Envelope> {
        let fixed = frame.first_chunk::<START_BYTES>().filter(|fixed| fixed[..2] == magic(framing))?;
        Some(Envelope {
            framing,
            protocol: Protocol::Binary,
            sequence_id: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            headers: Headers::new(),
            flags: 0,
            protocol_id: 0,
            zlib: false,
            inner_frame: false,
        })
    }

    /// Appends the whole frame of a reply, with its length, round `message`. What the request's frame had, this has:
    /// number, flags, protocol, transform, inner frame. Its headers are `headers`.
    pub fn close(&self, message: &[u8], headers: &Headers, out: &mut Vec<u8>) {
        let frame_start = out.len();
        let header_start = frame_start + FRAME_HEADER_BYTES + START_BYTES;
        out.extend_from_slice(&[0; FRAME_HEADER_BYTES]);
        out.extend_from_slice(&magic(self.framing));
        out.extend_from_slice(&self.flags.to_be_bytes());
        out.extend_from_slice(&self.sequence_id.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        match self.framing {
            Framing::TTHeader => ttheader::write(self.protocol_id, self.zlib, headers, out),
            _ => theader::write(self.protocol_id, self.zlib, headers, out),
        }
        while !(out.len() - header_start).is_multiple_of(WORD_BYTES) {
            out.push(0);
        }
        let words = (out.len() - header_start) / WORD_BYTES;
        out[header_start - 2..header_start].copy_from_slice(&(words as u16).to_be_bytes());
        self.append(message, out);
        let length = (out.len() - frame_start - FRAME_HEADER_BYTES) as u32;
        out[frame_start..frame_start + FRAME_HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
    }

    fn append(&self, message: &[u8], out: &mut Vec<u8>) {
        let length = (message.len() as u32).to_be_bytes();
        match (self.inner_frame, self.zlib) {
            (false, false) => out.extend_from_slice(message),
            (true, false) => {
                out.extend_from_slice(&length);
                out.extend_from_slice(message);
            }
            (false, true) => zlib::deflate(message, out),
            (true, true) => zlib::deflate(&[&length, message].concat(), out),
        }
    }
}

/// What a frame starts with, whatever its transport.
struct Start<'a> {
    flags: u16,
    sequence_id: u32,
    header: &'a [u8],
    message: &'a [u8],
}

impl<'a> Start<'a> {
    fn read(framing: Framing, frame: &'a [u8]) -> Result<Start<'a>, Malformed> {
        let Some((fixed, rest)) = frame.split_first_chunk::<START_BYTES>() else {
            return Err(format!("a header frame of fewer than {START_BYTES} bytes").into());
        };
        if fixed[..2] != magic(framing) {
            return Err("a frame without its header transport's magic number".into());
        }
        let header_bytes = usize::from(u16::from_be_bytes([fixed[8], fixed[9]])) * WORD_BYTES;
        if header_bytes > MAX_HEADER_BYTES {
            return Err(format!("headers of {header_bytes} bytes; at most {MAX_HEADER_BYTES} are taken").into());
        }
        let Some((header, message)) = rest.split_at_checked(header_bytes) else {
            return Err("a header longer than its frame".into());
        };
        Ok(Start {
            flags: u16::from_be_bytes([fixed[2], fixed[3]]),
            sequence_id: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            header,
            message,
        })
    }
}

fn magic(framing: Framing) -> [u8; 2] {
    match framing {
        Framing::TTHeader => [0x10, 0x00],
        _ => [0x0f, 0xff],
    }
}

/// The inner frame's length is inflated along with the message.
fn longest_inflated(framing: Framing, limits: &Limits) -> usize {
    match framing {
        Framing::TTHeader => limits.message_bytes.saturating_add(FRAME_HEADER_BYTES),
        _ => limits.message_bytes,
    }
}

fn without_start(framed: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match framed {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[FRAME_HEADER_BYTES..]),
        Cow::Owned(mut bytes) => {
            bytes.drain(..FRAME_HEADER_BYTES);
            Cow::Owned(bytes)
        }
    }
}

/// Magic number, flags, sequence number, length of the header.
const START_BYTES: usize = 10;

const WORD_BYTES: usize = 4;

/// How many times as long as its frame a message may be. One deflated once is at most 1,032 times as long (258 bytes for
/// two bits); deflated again and again, 200 bytes would become 16 million, for each of which the server works.
const MOST_INFLATION: usize = 1040;

#[cfg(test)]
mod tests;
