//! Finds the end of an unframed message, however slowly it arrives.

use super::message::Header;
use super::types::{binary_type, binary_type_of_none, compact_type, compact_type_of_none, fewest_bytes, fixed_bytes};
use super::{Limits, Malformed, Protocol, varint};
use thrift::protocol::TType;

/// A walk over one message that can stop where the bytes end and go on when there are more: each byte is looked at
/// once (a token of at most ten bytes, again), so a message that trickles in costs work linear in its length.
#[derive(Debug)]
pub struct Skip {
    protocol: Protocol,
    /// Everything before it has been walked over.
    position: usize,
    /// Bytes of a string, or of elements of a fixed size, still to be passed over.
    pending_bytes: usize,
    /// What is open, outermost first. Empty before the header was read.
    open: Vec<Open>,
}

/// Something that has begun and not ended.
#[derive(Clone, Copy, Debug)]
enum Open {
    Struct,
    /// A list or a set.
    List {
        element: TType,
        left: u32,
    },
    Map {
        next: TType,
        after: TType,
        /// Keys and values, counted together.
        left: u64,
    },
}

impl Skip {
    /// A walk that stands before a message's first byte.
    pub fn new(protocol: Protocol) -> Skip {
        Skip { protocol, position: 0, pending_bytes: 0, open: Vec::new() }
    }

    /// Goes on over `message`, which starts with the message's first byte and holds more than at the last call.
    /// Gives the message's length when its end is there, `None` when more bytes are needed.
    ///
    /// # Errors
    /// The bytes are no message, or one that is over a limit.
    pub fn advance(&mut self, message: &[u8], limits: &Limits) -> Result<Option<usize>, Malformed> {
        if self.open.is_empty() {
            let Some(header) = Header::read_start(self.protocol, message)? else { return Ok(None) };
            self.position = header.body_offset;
            self.open.push(Open::Struct);
        }
        loop {
            self.check_length(limits)?;
            if self.position > message.len() || self.pending_bytes > message.len() - self.position {
                return Ok(None);
            }
            self.position += std::mem::take(&mut self.pending_bytes);
            let Some(&innermost) = self.open.last() else { return Ok(Some(self.position)) };
            let rest = &message[self.position..];
            let went_on = match innermost {
                Open::Struct => self.field(rest, limits)?,
                Open::List { left: 0, .. } | Open::Map { left: 0, .. } => {
                    self.open.pop();
                    true
                }
                Open::List { element, left } => {
                    self.value(element, rest, limits, Open::List { element, left: left - 1 })?
                }
                Open::Map { next, after, left } => {
                    self.value(next, rest, limits, Open::Map { next: after, after: next, left: left - 1 })?
                }
            };
            if !went_on {
                return Ok(None);
            }
        }
    }

    fn check_length(&self, limits: &Limits) -> Result<(), Malformed> {
        if self.position.saturating_add(self.pending_bytes) > limits.message_bytes {
            return Err(format!("a message of more than {} bytes", limits.message_bytes).into());
        }
        Ok(())
    }

    /// A field's header and, where that is all there is to it, its value.
    fn field(&mut self, rest: &[u8], limits: &Limits) -> Result<bool, Malformed> {
        let Some(&first) = rest.first() else { return Ok(false) };
        let (kind, header_bytes) = match self.protocol {
            Protocol::Binary | Protocol::OldBinary if first == 0 => return Ok(self.end_struct()),
            Protocol::Binary | Protocol::OldBinary => (binary_type(first)?, 3),
            Protocol::Compact if first & 0x0f == 0 => return Ok(self.end_struct()),
            Protocol::Compact => {
                let kind = compact_type(first & 0x0f)?;
                let id_bytes = match first >> 4 {
                    0 => match varint::read_u16(&rest[1..])? {
                        Some((_, length)) => length,
                        None => return Ok(false),
                    },
                    _ => 0,
                };
                if kind == TType::Bool {
                    self.position += 1 + id_bytes;
                    return Ok(true);
                }
                (kind, 1 + id_bytes)
            }
        };
        let Some(value) = rest.get(header_bytes..) else { return Ok(false) };
        let before = self.position;
        self.position += header_bytes;
        let went_on = self.value(kind, value, limits, Open::Struct)?;
        if !went_on {
            self.position = before;
        }
        Ok(went_on)
    }

    fn end_struct(&mut self) -> bool {
        self.position += 1;
        self.open.pop();
        true
    }

    /// Passes over a value, or over its start when it is a struct or a container; `outer` is what the innermost open
    /// thing is when that is done. `false`, and nothing changed, when the bytes end first.
    fn value(&mut self, kind: TType, rest: &[u8], limits: &Limits, outer: Open) -> Result<bool, Malformed> {
        let (start_bytes, opens) = match (self.protocol, kind) {
            (protocol, kind) if fixed_bytes(protocol, kind).is_some() => {
                self.pending_bytes = fixed_bytes(protocol, kind).unwrap_or_default();
                (0, None)
            }
            (_, TType::Struct) => (0, Some(Open::Struct)),
            (_, TType::String) => match self.length(rest)? {
                Some((length, length_bytes)) if length <= limits.string_bytes => {
                    self.pending_bytes = length;
                    (length_bytes, None)
                }
                Some(_) => return Err(format!("a string of more than {} bytes", limits.string_bytes).into()),
                None => return Ok(false),
            },
            (_, TType::List | TType::Set | TType::Map) => match self.container(kind, rest, limits)? {
                Some((start_bytes, opens)) => (start_bytes, opens),
                None => return Ok(false),
            },
            (Protocol::Compact, TType::I16) => match varint::read_u16(rest)? {
                Some((_, length)) => (length, None),
                None => return Ok(false),
            },
            (Protocol::Compact, TType::I32) => match varint::read_u32(rest)? {
                Some((_, length)) => (length, None),
                None => return Ok(false),
            },
            (Protocol::Compact, _) => match varint::read_u64(rest)? {
                Some((_, length)) => (length, None),
                None => return Ok(false),
            },
            (Protocol::Binary | Protocol::OldBinary, _) => return Err("a field without a value's type".into()),
        };
        self.position += start_bytes;
        if let Some(innermost) = self.open.last_mut() {
            *innermost = outer;
        }
        if let Some(opens) = opens {
            if self.open.len() >= limits.depth {
                return Err(format!("nested more than {} deep", limits.depth).into());
            }
            self.open.push(opens);
        }
        Ok(true)
    }

    /// A string's length.
    fn length(&self, rest: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
        let read = match self.protocol {
            Protocol::Binary | Protocol::OldBinary => rest.first_chunk().map(|bytes| (i32::from_be_bytes(*bytes), 4)),
            Protocol::Compact => varint::read_u32(rest)?.map(|(length, bytes)| (length as i32, bytes)),
        };
        match read {
            Some((length, bytes)) => match usize::try_from(length) {
                Ok(length) => Ok(Some((length, bytes))),
                Err(_) => Err("a negative length".into()),
            },
            None => Ok(None),
        }
    }

    /// A container's start: its length in bytes and what it opens, nothing when it is empty or all of one fixed size.
    fn container(
        &mut self,
        kind: TType,
        rest: &[u8],
        limits: &Limits,
    ) -> Result<Option<(usize, Option<Open>)>, Malformed> {
        let read = match (self.protocol, kind) {
            (Protocol::Binary | Protocol::OldBinary, TType::Map) => binary_map_start(rest),
            (Protocol::Binary | Protocol::OldBinary, _) => binary_list_start(rest),
            (Protocol::Compact, TType::Map) => compact_map_start(rest)?,
            (Protocol::Compact, _) => compact_list_start(rest)?,
        };
        let Some(start) = read else { return Ok(None) };
        if start.count < 0 || start.count as usize > limits.container_items {
            return Err(
                format!("a container of {} items; at most {} are taken", start.count, limits.container_items).into()
            );
        }
        if start.count == 0 {
            let decode = match self.protocol {
                Protocol::Binary | Protocol::OldBinary => binary_type_of_none,
                Protocol::Compact => compact_type_of_none,
            };
            decode(start.first)?;
            start.second.map(decode).transpose()?;
            return Ok(Some((start.bytes, None)));
        }
        let left = start.count as u32;
        let decode = match self.protocol {
            Protocol::Binary | Protocol::OldBinary => binary_type,
            Protocol::Compact => compact_type,
        };
        let first = decode(start.first)?;
        let second = start.second.map(decode).transpose()?;
        let fewest = fewest_bytes(self.protocol, first) + second.map_or(0, |kind| fewest_bytes(self.protocol, kind));
        if (left as usize).saturating_mul(fewest) > limits.message_bytes {
            return Err(format!("a container of {left} items, more than fit in a message").into());
        }
        if second.is_none()
            && let Some(bytes) = fixed_bytes(self.protocol, first)
        {
            self.pending_bytes = bytes * left as usize;
            return Ok(Some((start.bytes, None)));
        }
        let opens = match second {
            None => Open::List { element: first, left },
            Some(value) => Open::Map { next: first, after: value, left: u64::from(left) * 2 },
        };
        Ok(Some((start.bytes, Some(opens))))
    }
}

/// The start of a container as it is on the wire.
struct Start {
    bytes: usize,
    count: i32,
    /// The code of the elements' or the keys' type.
    first: u8,
    /// The code of the values' type, for a map.
    second: Option<u8>,
}

fn binary_list_start(rest: &[u8]) -> Option<Start> {
    let &[element, a, b, c, d] = rest.first_chunk()?;
    Some(Start { bytes: 5, count: i32::from_be_bytes([a, b, c, d]), first: element, second: None })
}

fn binary_map_start(rest: &[u8]) -> Option<Start> {
    let &[key, value, a, b, c, d] = rest.first_chunk()?;
    Some(Start { bytes: 6, count: i32::from_be_bytes([a, b, c, d]), first: key, second: Some(value) })
}

fn compact_list_start(rest: &[u8]) -> Result<Option<Start>, Malformed> {
    let Some(&first) = rest.first() else { return Ok(None) };
    let element = first & 0x0f;
    if first >> 4 != 15 {
        return Ok(Some(Start { bytes: 1, count: i32::from(first >> 4), first: element, second: None }));
    }
    Ok(varint::read_u32(&rest[1..])?.map(|(count, bytes)| Start {
        bytes: 1 + bytes,
        count: count as i32,
        first: element,
        second: None,
    }))
}

fn compact_map_start(rest: &[u8]) -> Result<Option<Start>, Malformed> {
    let Some((count, bytes)) = varint::read_u32(rest)? else { return Ok(None) };
    if count == 0 {
        return Ok(Some(Start { bytes, count: 0, first: 0, second: Some(0) }));
    }
    Ok(rest.get(bytes).map(|types| Start {
        bytes: bytes + 1,
        count: count as i32,
        first: types >> 4,
        second: Some(types & 0x0f),
    }))
}
