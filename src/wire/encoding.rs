//! What a peer speaks, told from its first bytes.

use super::MAX_NAME_BYTES;
use std::fmt;

/// How values become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The strict binary protocol: messages start with `80 01`.
    Binary,
    /// The compact protocol: messages start with `82`.
    Compact,
    /// The non-strict binary protocol, "the old encoding": messages start with the length of their name. The rest of
    /// a message is as in [`Protocol::Binary`].
    OldBinary,
}

/// How the end of a message is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A 4-byte big-endian length goes before each message.
    Framed,
    /// Messages follow one another; one ends where its argument struct ends.
    Unframed,
    /// The header transport of Apache Thrift and fbthrift: each frame has headers before its message.
    THeader,
    /// The header transport of Kitex and Volo.
    TTHeader,
}

impl Framing {
    /// Whether its frames are [envelopes](super::Envelope).
    pub fn is_header(self) -> bool {
        matches!(self, Framing::THeader | Framing::TTHeader)
    }
}

/// A framing and a protocol; a connection has one for all its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// How the end of a message is found.
    pub framing: Framing,
    /// How values become bytes. In a header transport each frame says that for itself, and this is
    /// [`Protocol::Binary`] whatever they say.
    pub protocol: Protocol,
}

/// What the first bytes of a connection tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detected {
    /// One of the encodings that this port speaks.
    Encoding(Encoding),
    /// Too few bytes to tell; nothing so far is wrong.
    Undecided,
    /// Something that this port knows by sight and does not speak.
    Foreign(Foreign),
    /// Nothing that is known.
    Unknown,
}

/// What this port knows by sight and does not speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// HTTP/1: it is told so in its own words.
    Http,
    /// HTTP/2 with prior knowledge (gRPC).
    Http2,
    /// A TLS handshake.
    Tls,
}

/// Tells what `first`, the first bytes of a connection, is the start of. Eight bytes always suffice.
///
/// The old encoding has no magic number. Framed, it shows by the length of its name, which is short, at the place
/// where all others have their magic; unframed, by that length in the place of a frame's and a letter behind it.
pub fn detect(first: &[u8]) -> Detected {
    let encoding = |framing, protocol| Detected::Encoding(Encoding { framing, protocol });
    match *first {
        [] | [0x80] | [0x16] => Detected::Undecided,
        [0x80, 0x01, ..] => encoding(Framing::Unframed, Protocol::Binary),
        [0x82, ..] => encoding(Framing::Unframed, Protocol::Compact),
        [0x16, 0x03, ..] => Detected::Foreign(Foreign::Tls),
        [first, ..] if first >= 0x80 => Detected::Unknown,
        _ => match text_protocol(first) {
            Detected::Unknown => framed(first),
            text => text,
        },
    }
}

fn text_protocol(first: &[u8]) -> Detected {
    const METHODS: [&[u8; 4]; 7] = [b"GET ", b"POST", b"PUT ", b"HEAD", b"OPTI", b"DELE", b"PATC"];
    let start = &first[..first.len().min(4)];
    if METHODS.iter().any(|method| method.starts_with(start)) {
        return if start.len() == 4 { Detected::Foreign(Foreign::Http) } else { Detected::Undecided };
    }
    match b"PRI ".starts_with(start) {
        true if start.len() == 4 => Detected::Foreign(Foreign::Http2),
        true => Detected::Undecided,
        false => Detected::Unknown,
    }
}

fn framed(first: &[u8]) -> Detected {
    let encoding = |framing, protocol| Detected::Encoding(Encoding { framing, protocol });
    match *first {
        [0, 0, 0, 0, ..] => Detected::Unknown,
        [_, _, _, _, 0x82, ..] => encoding(Framing::Framed, Protocol::Compact),
        [_, _, _, _, 0x80, 0x01, ..] => encoding(Framing::Framed, Protocol::Binary),
        [_, _, _, _, 0x0f, 0xff, ..] => encoding(Framing::THeader, Protocol::Binary),
        [_, _, _, _, 0x10, 0x00, ..] => encoding(Framing::TTHeader, Protocol::Binary),
        [_, _, _, _, 0x00, 0x00, high, low, ..] if is_name_length([0, 0, high, low]) => {
            encoding(Framing::Framed, Protocol::OldBinary)
        }
        [a, b, c, d, 0x20..=0x7e, ..] if is_name_length([a, b, c, d]) => {
            encoding(Framing::Unframed, Protocol::OldBinary)
        }
        [_, _, _, _, 0x80 | 0x0f | 0x10 | 0x00]
        | [_, _, _, _, 0x00, 0x00]
        | [_, _, _, _, 0x00, 0x00, _]
        | [_]
        | [_, _]
        | [_, _, _]
        | [_, _, _, _] => Detected::Undecided,
        _ => Detected::Unknown,
    }
}

/// Whether the old encoding can start with these bytes: a name's length, where there is a name.
fn is_name_length(bytes: [u8; 4]) -> bool {
    (1..=MAX_NAME_BYTES).contains(&(u32::from_be_bytes(bytes) as usize))
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framing = match self.framing {
            Framing::Framed => "framed",
            Framing::Unframed => "unframed",
            Framing::THeader => return f.write_str("THeader"),
            Framing::TTHeader => return f.write_str("TTHeader"),
        };
        let protocol = match self.protocol {
            Protocol::Binary => "binary",
            Protocol::Compact => "compact",
            Protocol::OldBinary => "non-strict binary",
        };
        write!(f, "{framing} {protocol}")
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Foreign::Http => "HTTP/1",
            Foreign::Http2 => "HTTP/2",
            Foreign::Tls => "TLS",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_told_from_its_first_bytes_and_not_before() {
        let cases: [(&[u8], Framing, Protocol); 10] = [
            (&[0x80, 0x01], Framing::Unframed, Protocol::Binary),
            (&[0x82], Framing::Unframed, Protocol::Compact),
            (b"\0\0\0\x06S", Framing::Unframed, Protocol::OldBinary),
            (b"\0\0\x04\0S", Framing::Unframed, Protocol::OldBinary),
            (&[0, 0, 0, 33, 0x80, 0x01], Framing::Framed, Protocol::Binary),
            (&[0, 0, 0, 20, 0x82], Framing::Framed, Protocol::Compact),
            (b"\0\0\0\x21\0\0\0\x06", Framing::Framed, Protocol::OldBinary),
            (b"\0\0\x08\0\0\0\x04\0", Framing::Framed, Protocol::OldBinary),
            (&[0, 0, 0, 40, 0x0f, 0xff], Framing::THeader, Protocol::Binary),
            (&[0, 0, 0, 40, 0x10, 0x00], Framing::TTHeader, Protocol::Binary),
        ];
        for (first, framing, protocol) in cases {
            assert_eq!(detect(first), Detected::Encoding(Encoding { framing, protocol }), "{first:x?}");
            for cut in 0..first.len() {
                assert_eq!(detect(&first[..cut]), Detected::Undecided, "{first:x?} cut at {cut}");
            }
        }
    }

    #[test]
    fn the_old_encoding_needs_a_name_and_one_that_is_not_too_long() {
        for first in [
            &b"\0\0\0\0S"[..],
            b"\0\0\x04\x01S",
            b"\0\0\0\x06\x1f",
            b"\0\0\0\x06\x7f",
            b"\0\0\0\x21\0\0\0\0",
            b"\0\0\0\x21\0\0\x04\x01",
            b"\0\0\0\x21\0\x01\0\x06",
        ] {
            assert_eq!(detect(first), Detected::Unknown, "{first:x?}");
        }
    }

    #[test]
    fn foreign_protocols_are_known_by_sight() {
        let cases: [(&[u8], Foreign); 4] = [
            (b"GET / HTTP/1.1\r\n", Foreign::Http),
            (b"POST /x HTTP/1.1\r\n", Foreign::Http),
            (b"PRI * HTTP/2.0\r\n", Foreign::Http2),
            (&[0x16, 0x03, 0x01], Foreign::Tls),
        ];
        for (first, foreign) in cases {
            assert_eq!(detect(first), Detected::Foreign(foreign), "{first:x?}");
        }
    }

    /// Every byte that some rule names, and what lies between them: no rule tells those apart.
    const FIRST_FOUR: &[u8] = b"\x00\x01\x04\x05\x16 GETP\x80";
    const OTHERS: &[u8] = b"\x00\x01\x04\x05\x0f\x10\x1f\x20\x7e\x7f\x80\x82\xff";

    #[test]
    fn eight_bytes_always_decide() {
        /// The most bytes that leave it undecided, of those that start with the first `length` of `first`.
        fn longest(first: &mut [u8; 9], length: usize) -> usize {
            if length == first.len() || detect(&first[..length]) != Detected::Undecided {
                return 0;
            }
            let mut found = length;
            for &byte in if length < 4 { FIRST_FOUR } else { OTHERS } {
                first[length] = byte;
                found = found.max(longest(first, length + 1));
            }
            found
        }
        assert_eq!(longest(&mut [0; 9], 0), 7);
        assert_eq!(detect(&[0, 0, 0, 0]), Detected::Unknown, "an empty first frame");
    }
}
