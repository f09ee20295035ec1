//! The header of THeader: `doc/specs/HeaderFormat.md` of Apache Thrift, with fbthrift's persistent headers.
//!
//! All its numbers are varints. Protocol, count of transforms, the transforms; then sections of headers, until one of a
//! kind that is not known or the header's end. Padding looks like a section of kind 0, so that ends them as well.

use super::header_content::{Bytes, Content, ZLIB, count_transform};
use super::{Headers, Malformed, Protocol, varint};

/// Reads a whole header.
pub(super) fn read(header: &mut Bytes<'_>) -> Result<Content, Malformed> {
    let protocol_id = header.varint()?;
    protocol(protocol_id.try_into().unwrap_or(u8::MAX))?;
    let mut zlib_count = 0;
    for _ in 0..header.varint()? {
        count_transform(header.varint()?, &mut zlib_count)?;
    }
    Ok(Content { protocol_id: protocol_id as u8, zlib_count, headers: read_headers(header)? })
}

/// The protocol that a header names.
pub(super) fn protocol(id: u8) -> Result<Protocol, Malformed> {
    match id {
        BINARY => Ok(Protocol::Binary),
        COMPACT => Ok(Protocol::Compact),
        _ => Err("a protocol in THeader that is not spoken here; binary (0) and compact (2) are".into()),
    }
}

/// Appends a header, without padding.
pub(super) fn write(protocol_id: u8, zlib: bool, headers: &Headers, out: &mut Vec<u8>) {
    varint::write(out, protocol_id.into());
    varint::write(out, zlib.into());
    if zlib {
        varint::write(out, ZLIB.into());
    }
    let named = headers.iter();
    if named.len() > 0 {
        varint::write(out, KEY_VALUE.into());
        varint::write(out, named.len() as u64);
        for (name, value) in named {
            write_string(name, out);
            write_string(value, out);
        }
    }
}

/// A persistent header holds for all further messages of its connection: its peer sends it once. Here it counts as one
/// of its message, and gives way to one of the same name that was sent for that message alone.
fn read_headers(header: &mut Bytes<'_>) -> Result<Headers, Malformed> {
    let (mut own, mut persistent) = (Headers::new(), Headers::new());
    while !header.is_empty() {
        let headers = match header.varint()? {
            KEY_VALUE => &mut own,
            PERSISTENT_KEY_VALUE => &mut persistent,
            _ => break,
        };
        for _ in 0..header.varint()? {
            headers.push(read_string(header)?, read_string(header)?)?;
        }
    }
    if persistent.is_empty() {
        return Ok(own);
    }
    for (name, value) in own.iter() {
        persistent.push(name, value)?;
    }
    Ok(persistent)
}

fn read_string<'a>(header: &mut Bytes<'a>) -> Result<&'a [u8], Malformed> {
    let length = header.varint()?;
    header.take(length as usize)
}

fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    varint::write(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

const BINARY: u8 = 0;
const COMPACT: u8 = 2;

const KEY_VALUE: u32 = 1;
const PERSISTENT_KEY_VALUE: u32 = 2;
