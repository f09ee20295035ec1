//! What the headers of both header transports are made of, and say.

use super::{Headers, Malformed, varint};

/// What a header says.
pub(super) struct Content {
    pub(super) protocol_id: u8,
    /// How often the message was deflated.
    pub(super) zlib_count: usize,
    pub(super) headers: Headers,
}

/// The bytes of a header that are not read yet. Nothing reads beyond them into the message.
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn new(header: &'a [u8]) -> Bytes<'a> {
        Bytes(header)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(ends)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        let (bytes, rest) = self.0.split_first_chunk::<2>().ok_or_else(ends)?;
        self.0 = rest;
        Ok(u16::from_be_bytes(*bytes))
    }

    pub(super) fn varint(&mut self) -> Result<u32, Malformed> {
        let (value, length) = varint::read_u32(self.0)?.ok_or_else(ends)?;
        self.0 = &self.0[length..];
        Ok(value)
    }
}

/// Counts a transform that was asked for.
pub(super) fn count_transform(id: u32, zlib_count: &mut usize) -> Result<(), Malformed> {
    let name = match id {
        // "None": Apache's Go library has it.
        0 => return Ok(()),
        ZLIB if *zlib_count == MAX_ZLIB => {
            return Err(format!("a message that is deflated more than {MAX_ZLIB} times").into());
        }
        ZLIB => {
            *zlib_count += 1;
            return Ok(());
        }
        2 => "HMAC",
        3 => "Snappy",
        4 => "QuickLZ",
        5 => "Zstandard",
        _ => return Err(format!("an unknown transform, {id}; zlib (1) is taken, or none").into()),
    };
    Err(format!("the transform {name} ({id}), which is not spoken here; zlib (1) is, or none").into())
}

#[cold]
fn ends() -> Malformed {
    "a header that ends inside a value".into()
}

/// The transform that both transports know by this number.
pub(super) const ZLIB: u32 = 1;

/// One is of use; others allow any number, and each costs as much again.
const MAX_ZLIB: usize = 4;
