//! Bytes in, messages out. No I/O, no clock, no tokio.
//!
//! In the order in which a message meets them: [`encoding`] tells from the first bytes what a peer speaks, [`framing`]
//! finds where a message ends ([`skip`] does where no frame says it), [`envelope`] takes it out of a header transport's
//! frame (`theader`, `ttheader` and `zlib` are what that needs, [`headers`] what it finds), [`message`] reads its header,
//! [`binary`] and [`compact`] are the protocols that generated code reads and writes with (`scope` is what they check
//! alike, `field_ids` what compact remembers), and [`exception`] is the reply when there is no other.
//!
//! The protocols' functions are `#[inline]` so that code generated in another crate is compiled together with them: then
//! what they ignore, such as a field's name, is not even made. `#[inline(always)]` are those that a struct's or a
//! message's code calls in one place.
//!
//! Specifications: `doc/specs/thrift-rpc.md`, `thrift-binary-protocol.md`, `thrift-compact-protocol.md` and
//! `HeaderFormat.md` of Apache Thrift; for TTHeader "TTHeader" in the reference part of Kitex's documentation.

pub mod binary;
pub mod compact;
pub mod encoding;
pub mod envelope;
pub mod exception;
mod field_ids;
pub mod framing;
mod header_content;
pub mod headers;
mod limits;
pub mod message;
pub mod proxy;
mod scope;
pub mod skip;
mod theader;
mod ttheader;
mod types;
mod varint;
mod zlib;

pub use encoding::{Encoding, Framing, Protocol};
pub use envelope::Envelope;
pub use exception::{Exception, ExceptionCode};
pub use headers::Headers;
pub use limits::{Limits, MAX_DEPTH, MAX_HEADER_BYTES, MAX_HEADERS, MAX_NAME_BYTES};

use std::borrow::Cow;
use std::fmt;

/// Bytes that are not what they should be; the text says which rule they break, and holds no byte of the peer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub Cow<'static, str>);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

impl From<&'static str> for Malformed {
    fn from(text: &'static str) -> Self {
        Malformed(Cow::Borrowed(text))
    }
}

impl From<String> for Malformed {
    fn from(text: String) -> Self {
        Malformed(Cow::Owned(text))
    }
}

impl From<Malformed> for thrift::Error {
    fn from(malformed: Malformed) -> Self {
        thrift::Error::Protocol(thrift::ProtocolError::new(thrift::ProtocolErrorKind::InvalidData, malformed.0))
    }
}

/// `bytes` made safe to print: quoted, control and non-ASCII bytes escaped, cut after 64 bytes.
pub fn printable(bytes: &[u8]) -> String {
    const LONGEST: usize = 64;
    let shown = &bytes[..bytes.len().min(LONGEST)];
    let more = if bytes.len() > LONGEST { "…" } else { "" };
    format!("\"{}{more}\"", shown.escape_ascii())
}

/// What an input protocol says when generated code asks for a header that is not there, or no longer.
pub const NO_HEADER: &str = "there is no message to read";

/// `bytes` as text.
fn utf8(bytes: &[u8]) -> Result<String, Malformed> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err("a string that is not UTF-8".into()),
    }
}

/// A length as the wire has it.
fn checked_count(length: usize) -> Result<i32, Malformed> {
    i32::try_from(length).map_err(|_| "a string of more than 2 GiB cannot be sent".into())
}
