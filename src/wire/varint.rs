//! Variable-length integers (ULEB128) and the zigzag map of the compact protocol.

use super::Malformed;

/// What a varint read gave: the value and how many bytes it took, or `None` where the bytes end before it does.
pub(super) type Varint<T> = Result<Option<(T, usize)>, Malformed>;

/// Reads an unsigned 16-bit varint at the start of `bytes`: as [`read_u32`].
#[inline]
pub(super) fn read_u16(bytes: &[u8]) -> Varint<u16> {
    narrow(read_bits(bytes, 3)?)
}

/// Reads an unsigned 32-bit varint at the start of `bytes`; more than 32 bits are refused, not cut.
#[inline]
pub(super) fn read_u32(bytes: &[u8]) -> Varint<u32> {
    narrow(read_bits(bytes, 5)?)
}

/// Reads an unsigned 64-bit varint at the start of `bytes`; more than 64 bits are refused, not cut.
#[inline]
pub(super) fn read_u64(bytes: &[u8]) -> Varint<u64> {
    read_bits(bytes, 10)
}

#[inline]
fn narrow<T: TryFrom<u64>>(read: Option<(u64, usize)>) -> Varint<T> {
    let Some((value, length)) = read else { return Ok(None) };
    match T::try_from(value) {
        Ok(value) => Ok(Some((value, length))),
        Err(_) => Err(format!("a varint of more than {} bits", 8 * size_of::<T>()).into()),
    }
}

#[inline]
fn read_bits(bytes: &[u8], longest: usize) -> Varint<u64> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(longest).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            return Err("a varint of more than 64 bits".into());
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= longest {
        return Err("a varint without an end".into());
    }
    Ok(None)
}

/// Appends an unsigned varint.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Zigzag: 0, -1, 1, -2 … become 0, 1, 2, 3 …
#[inline]
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The reverse of [`zigzag`].
#[inline]
pub(super) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_boundary_survives_the_round_trip() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                write(&mut bytes, value);
                assert_eq!(read_u64(&bytes), Ok(Some((value, bytes.len()))));
                assert_eq!(zigzag(unzigzag(value)), value);
                for cut in 0..bytes.len() {
                    assert_eq!(read_u64(&bytes[..cut]), Ok(None));
                }
            }
        }
    }

    #[test]
    fn more_bits_than_fit_are_refused() {
        assert!(read_u32(&[0xff, 0xff, 0xff, 0xff, 0x1f]).is_err());
        assert_eq!(read_u32(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(Some((u32::MAX, 5))));
        assert!(read_u64(&[0xff; 10]).is_err());
        assert!(read_u32(&[0x80; 5]).is_err());
    }
}
