//! What a peer speaks, told from its first bytes.

use std::fmt;

/// How values become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The strict binary protocol: messages start with `80 01`.
    Binary,
    /// The compact protocol: messages start with `82`.
    Compact,
}

/// How the end of a message is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A 4-byte big-endian length goes before each message.
    Framed,
    /// Messages follow one another; one ends where its argument struct ends.
    Unframed,
}

/// A framing and a protocol; a connection has one for all its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// How the end of a message is found.
    pub framing: Framing,
    /// How values become bytes.
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
    /// Thrift's header transport.
    THeader,
    /// The header transport of Kitex and Volo.
    TTHeader,
}

/// Tells what `first`, the first bytes of a connection, is the start of. Eight bytes always suffice.
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
    let encoding = |protocol| Detected::Encoding(Encoding { framing: Framing::Framed, protocol });
    match *first {
        [0, 0, 0, 0, ..] => Detected::Unknown,
        [_, _, _, _, 0x82, ..] => encoding(Protocol::Compact),
        [_, _, _, _, 0x80, 0x01, ..] => encoding(Protocol::Binary),
        [_, _, _, _, 0x0f, 0xff, ..] => Detected::Foreign(Foreign::THeader),
        [_, _, _, _, 0x10, 0x00, ..] => Detected::Foreign(Foreign::TTHeader),
        [_, _, _, _, 0x80 | 0x0f | 0x10] | [_] | [_, _] | [_, _, _] | [_, _, _, _] => Detected::Undecided,
        _ => Detected::Unknown,
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framing = match self.framing {
            Framing::Framed => "framed",
            Framing::Unframed => "unframed",
        };
        let protocol = match self.protocol {
            Protocol::Binary => "binary",
            Protocol::Compact => "compact",
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
            Foreign::THeader => "THeader",
            Foreign::TTHeader => "TTHeader",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_told_from_its_first_bytes_and_not_before() {
        let cases: [(&[u8], Framing, Protocol); 4] = [
            (&[0x80, 0x01], Framing::Unframed, Protocol::Binary),
            (&[0x82], Framing::Unframed, Protocol::Compact),
            (&[0, 0, 0, 33, 0x80, 0x01], Framing::Framed, Protocol::Binary),
            (&[0, 0, 0, 20, 0x82], Framing::Framed, Protocol::Compact),
        ];
        for (first, framing, protocol) in cases {
            assert_eq!(detect(first), Detected::Encoding(Encoding { framing, protocol }));
            for cut in 0..first.len() {
                assert_eq!(detect(&first[..cut]), Detected::Undecided, "{first:x?} cut at {cut}");
            }
        }
    }

    #[test]
    fn foreign_protocols_are_known_by_sight() {
        let cases: [(&[u8], Foreign); 6] = [
            (b"GET / HTTP/1.1\r\n", Foreign::Http),
            (b"POST /x HTTP/1.1\r\n", Foreign::Http),
            (b"PRI * HTTP/2.0\r\n", Foreign::Http2),
            (&[0x16, 0x03, 0x01], Foreign::Tls),
            (&[0, 0, 0, 40, 0x0f, 0xff, 0, 0], Foreign::THeader),
            (&[0, 0, 0, 40, 0x10, 0x00, 0, 0], Foreign::TTHeader),
        ];
        for (first, foreign) in cases {
            assert_eq!(detect(first), Detected::Foreign(foreign), "{first:x?}");
        }
    }

    #[test]
    fn eight_bytes_always_decide() {
        let mut state = 1u64;
        for _ in 0..100_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            assert_ne!(detect(&state.to_le_bytes()), Detected::Undecided);
        }
        assert_eq!(detect(&[0, 0, 0, 0]), Detected::Unknown, "an empty first frame");
    }
}
