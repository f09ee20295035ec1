//! The type codes of both protocols, and the fewest bytes that a value of each type takes.

use super::{Malformed, Protocol};
use thrift::protocol::TType;

/// A field or element type of the binary protocol. STOP is not one: the caller looks for it first.
#[inline]
pub(super) fn binary_type(code: u8) -> Result<TType, Malformed> {
    Ok(match code {
        2 => TType::Bool,
        3 => TType::I08,
        4 => TType::Double,
        6 => TType::I16,
        8 => TType::I32,
        10 => TType::I64,
        11 => TType::String,
        12 => TType::Struct,
        13 => TType::Map,
        14 => TType::Set,
        15 => TType::List,
        16 => TType::Uuid,
        _ => return Err(unknown_type(code)),
    })
}

/// The type that an empty container names for its elements is of no meaning, and some write STOP or VOID; but what is no
/// type at all, Apache's Java library refuses.
pub(super) fn binary_type_of_none(code: u8) -> Result<TType, Malformed> {
    if code > 1 {
        binary_type(code)?;
    }
    Ok(TType::Void)
}

/// As [`binary_type_of_none`]: here Apache's Python and Java libraries refuse what is no type.
pub(super) fn compact_type_of_none(code: u8) -> Result<TType, Malformed> {
    if code > 0 {
        compact_type(code)?;
    }
    Ok(TType::Void)
}

/// The binary protocol's code of a type.
#[inline]
pub(super) fn binary_code(kind: TType) -> u8 {
    match kind {
        TType::Stop => 0,
        TType::Void => 1,
        TType::Bool => 2,
        TType::I08 => 3,
        TType::Double => 4,
        TType::I16 => 6,
        TType::I32 => 8,
        TType::I64 => 10,
        TType::String | TType::Utf7 => 11,
        TType::Struct => 12,
        TType::Map => 13,
        TType::Set => 14,
        TType::List => 15,
        TType::Uuid => 16,
    }
}

/// A field or element type of the compact protocol. Both boolean codes are Bool; STOP is the caller's.
#[inline]
pub(super) fn compact_type(code: u8) -> Result<TType, Malformed> {
    Ok(match code {
        1 | 2 => TType::Bool,
        3 => TType::I08,
        4 => TType::I16,
        5 => TType::I32,
        6 => TType::I64,
        7 => TType::Double,
        8 => TType::String,
        9 => TType::List,
        10 => TType::Set,
        11 => TType::Map,
        12 => TType::Struct,
        13 => TType::Uuid,
        _ => return Err(unknown_type(code)),
    })
}

/// The compact protocol's code of a type, as an element's type and, booleans apart, as a field's.
#[inline]
pub(super) fn compact_code(kind: TType) -> u8 {
    match kind {
        TType::Stop | TType::Void => 0,
        TType::Bool => 1,
        TType::I08 => 3,
        TType::I16 => 4,
        TType::I32 => 5,
        TType::I64 => 6,
        TType::Double => 7,
        TType::String | TType::Utf7 => 8,
        TType::List => 9,
        TType::Set => 10,
        TType::Map => 11,
        TType::Struct => 12,
        TType::Uuid => 13,
    }
}

/// The fewest bytes that a value takes as an element: what makes a container's count checkable.
pub(super) fn fewest_bytes(protocol: Protocol, kind: TType) -> usize {
    match (protocol, fixed_bytes(protocol, kind)) {
        (_, Some(bytes)) => bytes,
        (Protocol::Compact, None) => 1,
        (Protocol::Binary | Protocol::OldBinary, None) => match kind {
            TType::String | TType::Utf7 => 4,
            TType::Map => 6,
            TType::List | TType::Set => 5,
            _ => 1,
        },
    }
}

/// The bytes that a value takes as an element, where that is the same for all values of its type.
pub(super) fn fixed_bytes(protocol: Protocol, kind: TType) -> Option<usize> {
    match (protocol, kind) {
        (_, TType::Bool | TType::I08) => Some(1),
        (_, TType::Double) => Some(8),
        (_, TType::Uuid) => Some(16),
        (Protocol::Binary | Protocol::OldBinary, TType::I16) => Some(2),
        (Protocol::Binary | Protocol::OldBinary, TType::I32) => Some(4),
        (Protocol::Binary | Protocol::OldBinary, TType::I64) => Some(8),
        _ => None,
    }
}

#[cold]
fn unknown_type(code: u8) -> Malformed {
    format!("unknown type code {code}").into()
}
