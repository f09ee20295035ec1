//! A message's header: what must be known before its arguments are decoded.

use super::{MAX_NAME_BYTES, Malformed, Protocol, varint};
use thrift::protocol::{TMessageIdentifier, TMessageType};

/// The header of a message, read without its body. So a message can be refused properly by whoever cannot decode it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The method as it was sent, service prefix included. Any bytes at all: it need not be UTF-8.
    pub name: &'a [u8],
    /// What kind of message it says it is, as a number.
    code: u8,
    /// The number that the reply must carry.
    pub sequence_id: i32,
    /// Where the body, a struct, starts in the message.
    pub body_offset: usize,
    /// Where the method starts in the name: behind the first colon, which ends the service's.
    method_offset: usize,
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request that wants a reply.
    Call,
    /// An answer: a result or a declared exception.
    Reply,
    /// An answer: a TApplicationException.
    Exception,
    /// A request that must not be replied to.
    Oneway,
    /// None of those.
    Unknown(u8),
}

/// What generated code is told of a message's header: the method without its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// The method.
    pub name: &'a str,
    /// One of the kinds that Thrift knows.
    pub message_type: TMessageType,
    /// The number that the reply must carry.
    pub sequence_number: i32,
}

impl Identifier<'_> {
    /// The same in Thrift's own words, which have memory of their own.
    pub fn to_thrift(&self) -> TMessageIdentifier {
        TMessageIdentifier::new(self.name, self.message_type, self.sequence_number)
    }
}

impl Kind {
    /// The kind that a message's type number stands for.
    #[inline]
    pub fn from_code(code: u8) -> Kind {
        match code {
            1 => Kind::Call,
            2 => Kind::Reply,
            3 => Kind::Exception,
            4 => Kind::Oneway,
            other => Kind::Unknown(other),
        }
    }
}

impl<'a> Header<'a> {
    /// Reads the header at the start of `message`, which holds the whole message.
    ///
    /// # Errors
    /// The bytes are no header of this protocol. No reply is possible then: not even the sequence id is known.
    pub fn read(protocol: Protocol, message: &'a [u8]) -> Result<Header<'a>, Malformed> {
        match Header::read_start(protocol, message)? {
            Some(header) => Ok(header),
            None => Err(ENDS_INSIDE.into()),
        }
    }

    /// As [`Header::read`], but `None` when `start` ends before the header does.
    pub fn read_start(protocol: Protocol, start: &'a [u8]) -> Result<Option<Header<'a>>, Malformed> {
        match protocol {
            Protocol::Binary => read_binary(start),
            Protocol::Compact => read_compact(start),
            Protocol::OldBinary => read_old_binary(start),
        }
    }

    /// The header as generated code wants it: the method without its service.
    ///
    /// # Errors
    /// The name is not UTF-8, or the kind is none that Thrift knows.
    #[inline(always)]
    pub fn identifier(&self) -> Result<Identifier<'a>, Malformed> {
        let message_type = match self.kind() {
            Kind::Call => TMessageType::Call,
            Kind::Reply => TMessageType::Reply,
            Kind::Exception => TMessageType::Exception,
            Kind::Oneway => TMessageType::OneWay,
            Kind::Unknown(code) => return Err(format!("a message of unknown type {code}").into()),
        };
        let Some(name) = text(self.method()) else { return Err("a method name that is not UTF-8".into()) };
        Ok(Identifier { name, message_type, sequence_number: self.sequence_id })
    }

    /// What kind of message it says it is.
    #[inline]
    pub fn kind(&self) -> Kind {
        Kind::from_code(self.code)
    }

    /// The method without its service: what comes after the first colon, or all of it.
    pub fn method(&self) -> &'a [u8] {
        &self.name[self.method_offset..]
    }

    /// The service that a multiplexed name ("Calculate:Square") asks for.
    pub fn service(&self) -> Option<&'a [u8]> {
        self.method_offset.checked_sub(1).map(|colon| &self.name[..colon])
    }
}

/// A function of its own, as its result comes back in registers then: through memory, it would be waited for.
#[inline(never)]
fn text(name: &[u8]) -> Option<&str> {
    std::str::from_utf8(name).ok()
}

fn method_offset(name: &[u8]) -> usize {
    name.iter().position(|&byte| byte == b':').map_or(0, |colon| colon + 1)
}

fn read_binary(start: &[u8]) -> Result<Option<Header<'_>>, Malformed> {
    let Some((head, rest)) = start.split_first_chunk::<8>() else {
        return match start {
            [] | [0x80] | [0x80, 0x01, ..] => Ok(None),
            _ => Err(NOT_BINARY.into()),
        };
    };
    if head[..2] != [0x80, 0x01] {
        return Err(NOT_BINARY.into());
    }
    let name_bytes = checked_name_length(i32::from_be_bytes([head[4], head[5], head[6], head[7]]))?;
    let Some((name, rest)) = rest.split_at_checked(name_bytes) else { return Ok(None) };
    let Some(sequence_id) = rest.first_chunk::<4>() else { return Ok(None) };
    Ok(Some(Header {
        name,
        code: head[3],
        sequence_id: i32::from_be_bytes(*sequence_id),
        body_offset: 8 + name_bytes + 4,
        method_offset: method_offset(name),
    }))
}

fn read_old_binary(start: &[u8]) -> Result<Option<Header<'_>>, Malformed> {
    let Some((length, rest)) = start.split_first_chunk::<4>() else { return Ok(None) };
    let name_bytes = match checked_name_length(i32::from_be_bytes(*length))? {
        // An empty name is allowed and useless, and four zeros are more often no Thrift at all.
        0 => return Err("a method name of no bytes".into()),
        length => length,
    };
    let Some((name, rest)) = rest.split_at_checked(name_bytes) else { return Ok(None) };
    let Some(&[code, a, b, c, d]) = rest.first_chunk::<5>() else { return Ok(None) };
    Ok(Some(Header {
        name,
        code,
        sequence_id: i32::from_be_bytes([a, b, c, d]),
        body_offset: 4 + name_bytes + 5,
        method_offset: method_offset(name),
    }))
}

fn read_compact(start: &[u8]) -> Result<Option<Header<'_>>, Malformed> {
    const VERSION: u8 = 1;
    match start {
        [] | [0x82] => return Ok(None),
        [0x82, version, ..] if version & 0x1f == VERSION => {}
        _ => return Err("not the start of a compact message of version 1".into()),
    }
    let Some((sequence_id, sequence_bytes)) = varint::read_u32(&start[2..])? else { return Ok(None) };
    let name_offset = 2 + sequence_bytes;
    let Some((length, length_bytes)) = varint::read_u32(&start[name_offset..])? else { return Ok(None) };
    let name_bytes = checked_name_length(length as i32)?;
    let name_offset = name_offset + length_bytes;
    let Some(name) = start[name_offset..].get(..name_bytes) else { return Ok(None) };
    Ok(Some(Header {
        name,
        code: start[1] >> 5,
        sequence_id: sequence_id as i32,
        body_offset: name_offset + name_bytes,
        method_offset: method_offset(name),
    }))
}

fn checked_name_length(length: i32) -> Result<usize, Malformed> {
    match usize::try_from(length) {
        Ok(length) if length <= MAX_NAME_BYTES => Ok(length),
        Ok(_) => Err(format!("a method name of more than {MAX_NAME_BYTES} bytes").into()),
        Err(_) => Err("a method name of negative length".into()),
    }
}

/// Whether a frame of `length` bytes is within bounds.
pub(super) fn checked_frame_length(length: i32, longest: usize) -> Result<usize, Malformed> {
    match usize::try_from(length) {
        Ok(0) => Err("an empty frame".into()),
        Ok(length) if length <= longest => Ok(length),
        Ok(length) => Err(format!("a frame of {length} bytes; at most {longest} are taken").into()),
        Err(_) => Err("a frame of negative length".into()),
    }
}

pub(crate) const ENDS_INSIDE: &str = "the message ends inside its header";

const NOT_BINARY: &str = "not the start of a strict binary message of version 1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_header_is_read_when_it_is_whole() {
        let message = b"\x00\x00\x00\x10Calculate:Square\x04\xff\xff\xff\xfe\x00";
        let header = Header::read(Protocol::OldBinary, message).expect("a header");
        assert_eq!((header.service(), header.method()), (Some(&b"Calculate"[..]), &b"Square"[..]));
        assert_eq!((header.kind(), header.sequence_id, header.body_offset), (Kind::Oneway, -2, 25));
        for cut in 0..header.body_offset {
            assert_eq!(Header::read_start(Protocol::OldBinary, &message[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn an_old_header_without_a_name_or_with_a_long_one_is_refused() {
        for (length, text) in [
            (0, "a method name of no bytes"),
            (1025, "a method name of more than 1024 bytes"),
            (-1, "a method name of negative length"),
        ] {
            assert_eq!(Header::read_start(Protocol::OldBinary, &i32::to_be_bytes(length)), Err(text.into()));
        }
    }
}
