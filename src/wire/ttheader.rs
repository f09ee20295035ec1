//! The header of TTHeader, the transport of Kitex and Volo ("TTHeader" in the reference part of Kitex's documentation).
//!
//! Its numbers have a fixed length. Protocol and count of transforms, a byte each, then the transforms; then sections of
//! headers up to the header's end, with padding anywhere between them.

use super::framing::FRAME_HEADER_BYTES;
use super::header_content::{Bytes, Content, ZLIB, count_transform};
use super::headers::name::ACL_TOKEN;
use super::{Headers, Malformed, Protocol};

/// Reads a whole header.
pub(super) fn read(flags: u16, header: &mut Bytes<'_>) -> Result<Content, Malformed> {
    if flags & STREAMING != 0 {
        return Err("a stream over TTHeader, which is not spoken here; plain calls are".into());
    }
    let protocol_id = header.byte()?;
    check_protocol(protocol_id)?;
    let mut zlib_count = 0;
    for _ in 0..header.byte()? {
        count_transform(header.byte()?.into(), &mut zlib_count)?;
    }
    let mut headers = Headers::new();
    while !header.is_empty() {
        read_section(header, &mut headers)?;
    }
    Ok(Content { protocol_id, zlib_count, headers })
}

/// What the payload is: the protocol of the message in it, and whether that has a frame of its own. The header does not
/// say the second, and Volo's says "binary" before compact messages too, so both are told from the bytes, as Kitex and
/// Volo tell them.
pub(super) fn look_inside(payload: &[u8]) -> Result<(Protocol, bool), Malformed> {
    if let Some(protocol) = protocol_of(payload) {
        return Ok((protocol, false));
    }
    let Some((length, message)) = payload.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return Err("a TTHeader frame without a message".into());
    };
    match (protocol_of(message), message) {
        (Some(_), message) if u32::from_be_bytes(*length) as usize != message.len() => {
            Err("a frame inside a frame that is not as long as its place".into())
        }
        (Some(protocol), _) => Ok((protocol, true)),
        (None, [0x90, 0x01, ..]) => Err("a Protobuf message, which is not spoken here; Thrift is".into()),
        (None, _) => Err("neither a strict binary nor a compact message in a TTHeader frame".into()),
    }
}

/// Appends a header, without padding.
pub(super) fn write(protocol_id: u8, zlib: bool, headers: &Headers, out: &mut Vec<u8>) {
    out.extend_from_slice(&[protocol_id, zlib.into()]);
    if zlib {
        out.push(ZLIB as u8);
    }
    let named = headers.iter();
    if named.len() > 0 {
        out.push(KEY_VALUE);
        write_u16(named.len(), out);
        for (name, value) in named {
            write_string(name, out);
            write_string(value, out);
        }
    }
    let numbered = headers.ints();
    if numbered.len() > 0 {
        out.push(INT_KEY_VALUE);
        write_u16(numbered.len(), out);
        for (key, value) in numbered {
            write_u16(key.into(), out);
            write_string(value, out);
        }
    }
}

/// Unlike in THeader, a section of a kind that is not known is an error: Kitex and Volo take it for one.
fn read_section(header: &mut Bytes<'_>, headers: &mut Headers) -> Result<(), Malformed> {
    match header.byte()? {
        PADDING => {}
        KEY_VALUE => {
            for _ in 0..header.u16()? {
                headers.push(read_string(header)?, read_string(header)?)?;
            }
        }
        INT_KEY_VALUE => {
            for _ in 0..header.u16()? {
                headers.push_int(header.u16()?, read_string(header)?)?;
            }
        }
        ACL => headers.push(ACL_TOKEN.as_bytes(), read_string(header)?)?,
        kind => return Err(format!("a section of unknown kind {kind} in a TTHeader header").into()),
    }
    Ok(())
}

fn check_protocol(id: u8) -> Result<(), Malformed> {
    let name = match id {
        0 | 2 => return Ok(()),
        3 => "fbthrift's compact protocol",
        4 => "Protobuf",
        0x10 | 0x11 => "a stream's struct",
        _ => return Err(format!("an unknown protocol, {id}, in a TTHeader header").into()),
    };
    Err(format!("{name} ({id}) in TTHeader, which is not spoken here; binary (0) and compact (2) are").into())
}

fn protocol_of(message: &[u8]) -> Option<Protocol> {
    match message {
        [0x80, 0x01, ..] => Some(Protocol::Binary),
        [0x82, ..] => Some(Protocol::Compact),
        _ => None,
    }
}

fn read_string<'a>(header: &mut Bytes<'a>) -> Result<&'a [u8], Malformed> {
    let length = header.u16()?;
    header.take(length.into())
}

fn write_u16(value: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(value as u16).to_be_bytes());
}

fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    write_u16(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Bit of the flags: the frame belongs to a stream.
const STREAMING: u16 = 0b10;

const PADDING: u8 = 0x00;
const KEY_VALUE: u8 = 0x01;
const INT_KEY_VALUE: u8 = 0x10;
const ACL: u8 = 0x11;
