"""The compact protocol's variable-length integers (thrift-compact-protocol.md, "Integer encoding")."""

from __future__ import annotations


def varint_write(value: int) -> bytes:
    """``value``, which is not negative, as a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_read(data: bytes | bytearray, position: int, bits: int) -> tuple[int, int]:
    """The varint at ``position`` and the position behind it.

    Raises IndexError when the data end too early, ValueError when it does not fit ``bits``.
    """
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> bits:
                raise ValueError("a number is too large")
            return value, position
        shift += 7
        if shift >= bits:
            raise ValueError("a number is too long")
