"""How far an unframed message reaches, found while it arrives.

A walk is a generator over a bytearray that its owner appends to: it yields when it needs more bytes and returns the
offset at which its message ends. Nothing is decoded or copied, no length is believed beyond the limit, and nothing
nests deeper than DEPTH_MAX. It raises Malformed for what no message can be.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator

from thrift.protocol.TCompactProtocol import CompactType
from thrift.Thrift import TType

from ._message import BINARY_VERSION, COMPACT_ID, COMPACT_VERSION, Malformed
from ._varint import varint_read

DEPTH_MAX = 64  # the recursion limit of thrift-tconfiguration.md
_BINARY_FIRST = BINARY_VERSION >> 8
_NOT_BINARY = "answered with something other than an unframed binary message; is the framing right?"

Walk = Generator[None, None, int]
Extent = Callable[[bytearray, int, int], Walk]


def binary_extent(data: bytearray, start: int, length_max: int) -> Walk:
    """The walk through the message in the strict binary protocol that begins at ``start``."""
    nest = _Nest(start + length_max)
    position = start + 8
    while len(data) < position:
        if len(data) > start and data[start] != _BINARY_FIRST:  # it may be too short ever to get there: a TLS alert
            raise Malformed(_NOT_BINARY)
        yield
    version, length = _unpack_head(data, start)
    if version != BINARY_VERSION:
        raise Malformed(_NOT_BINARY)
    position = nest.within(position + length + 4)
    while nest.open:
        kind = nest.next_kind()
        if kind is None:
            while len(data) <= position:
                yield
            kind = data[position]
            if kind == TType.STOP:
                position += 1
                nest.leave()
                continue
            position += 3  # the type and the field's id
        if kind in _BINARY_SIZES:
            position += _BINARY_SIZES[kind]
        elif kind == TType.STRING:
            while len(data) < position + 4:
                yield
            position += 4 + int.from_bytes(data[position : position + 4], "big")
        elif kind == TType.STRUCT:
            nest.enter_struct()
        elif kind in (TType.LIST, TType.SET):
            while len(data) < position + 5:
                yield
            item, count = _unpack_list(data, position)
            position += 5
            nest.enter_list(item, count, position)
        elif kind == TType.MAP:
            while len(data) < position + 6:
                yield
            key, value, count = _unpack_map(data, position)
            position += 6
            nest.enter_map(key, value, count, position)
        else:
            raise Malformed(f"sent a value of the unknown type {kind}")
        nest.within(position)
    while len(data) < position:
        yield
    return position


def compact_extent(data: bytearray, start: int, length_max: int) -> Walk:
    """The walk through the message in the compact protocol that begins at ``start``."""
    nest = _Nest(start + length_max)
    position = start + 2
    while len(data) < position:
        yield
    if data[start] != COMPACT_ID or data[start + 1] & 0x1F != COMPACT_VERSION:
        raise Malformed("answered with something other than an unframed compact message; is the framing right?")
    while (number := _varint(data, position, 32)) is None:  # the sequence id
        yield
    position = number[1]
    while (number := _varint(data, position, 32)) is None:  # the name's length
        yield
    position = nest.within(sum(number))
    while nest.open:
        kind = nest.next_kind()
        if kind is None:
            while len(data) <= position:
                yield
            kind = data[position] & 0x0F
            short_id = data[position] >> 4
            position += 1
            if kind == CompactType.STOP:
                nest.leave()
                continue
            if not short_id:
                while (number := _varint(data, position, 64)) is None:
                    yield
                position = number[1]
            if kind in (CompactType.TRUE, CompactType.FALSE):  # the value of a field is in its type
                continue
        if kind in _COMPACT_SIZES:
            position += _COMPACT_SIZES[kind]
        elif kind in _COMPACT_INTEGERS:
            while (number := _varint(data, position, 64)) is None:
                yield
            position = number[1]
        elif kind == CompactType.BINARY:
            while (number := _varint(data, position, 32)) is None:
                yield
            position = sum(number)
        elif kind == CompactType.STRUCT:
            nest.enter_struct()
        elif kind in (CompactType.LIST, CompactType.SET):
            while len(data) <= position:
                yield
            item, count = data[position] & 0x0F, data[position] >> 4
            position += 1
            if count == 15:
                while (number := _varint(data, position, 32)) is None:
                    yield
                count, position = number
            nest.enter_list(item, count, position)
        elif kind == CompactType.MAP:
            while (number := _varint(data, position, 32)) is None:
                yield
            count, position = number
            if count:
                while len(data) <= position:
                    yield
                kinds = data[position]
                position += 1
                nest.enter_map(kinds >> 4, kinds & 0x0F, count, position)
        else:
            raise Malformed(f"sent a value of the unknown type {kind}")
        nest.within(position)
    while len(data) < position:
        yield
    return position


class _Nest:
    """What is open around the current position: structs (None) and lists (kinds in reverse order, items left)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.open: list[tuple[tuple[int, ...], list[int]] | None] = [None]

    def next_kind(self) -> int | None:
        """The type of the next value; None when the next field says."""
        while (top := self.open[-1]) is not None:
            kinds, left = top
            if left[0]:
                left[0] -= 1
                return kinds[left[0] % len(kinds)]
            self.open.pop()
        return None

    def leave(self) -> None:
        self.open.pop()

    def enter_struct(self) -> None:
        self._enter(None)

    def enter_list(self, item: int, count: int, position: int) -> None:
        self.within(position + count)  # every item takes a byte at least
        self._enter(((item,), [count]))

    def enter_map(self, key: int, value: int, count: int, position: int) -> None:
        self.within(position + 2 * count)
        self._enter(((value, key), [2 * count]))

    def within(self, position: int) -> int:
        """``position``, which must not lie beyond the limit."""
        if position > self._limit:
            raise Malformed("sent a message longer than max_message_bytes")
        return position

    def _enter(self, level: tuple[tuple[int, ...], list[int]] | None) -> None:
        if len(self.open) >= DEPTH_MAX:
            raise Malformed(f"sent a message that nests deeper than {DEPTH_MAX}")
        self.open.append(level)


def _varint(data: bytearray, position: int, bits: int) -> tuple[int, int] | None:
    """As varint_read, but None when it is not all there yet."""
    try:
        return varint_read(data, position, bits)
    except IndexError:
        return None
    except ValueError as error:
        raise Malformed(f"sent a message in which {error}") from error


_unpack_head = struct.Struct(">HxxI").unpack_from
_unpack_list = struct.Struct(">BI").unpack_from
_unpack_map = struct.Struct(">BBI").unpack_from
_BINARY_SIZES = {
    TType.BOOL: 1,
    TType.BYTE: 1,
    TType.DOUBLE: 8,
    TType.I16: 2,
    TType.I32: 4,
    TType.I64: 8,
    TType.UUID: 16,
}
_COMPACT_SIZES = {
    CompactType.TRUE: 1,
    CompactType.FALSE: 1,
    CompactType.BYTE: 1,
    CompactType.DOUBLE: 8,
    CompactType.UUID: 16,
}
_COMPACT_INTEGERS = (CompactType.I16, CompactType.I32, CompactType.I64)
EXTENTS: dict[str, Extent] = {"binary": binary_extent, "compact": compact_extent}
