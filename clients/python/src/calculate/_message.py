"""Messages to bytes and back, without a frame, with the generated code on memory buffers.

A head (version, type, method, sequence id) is handled here, as thrift-binary-protocol.md and
thrift-compact-protocol.md lay it down; what follows it is written and read by the generated code, through thrift's C
extension where that can be imported (measured on messages of 40 bytes: 0.5 µs against 4 to write, 1.2 against 6 to
read) and through its Python code elsewhere.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport.TTransport import TMemoryBuffer

from ._method import Method
from ._varint import varint_read, varint_write

try:
    from thrift.protocol import fastbinary
except ImportError:
    fastbinary = None

REPLY: int = TMessageType.REPLY
EXCEPTION: int = TMessageType.EXCEPTION

# Of thrift-binary-protocol.md and thrift-compact-protocol.md.
BINARY_VERSION = 0x8001
COMPACT_ID = 0x82
COMPACT_VERSION = 1


class Malformed(Exception):
    """Bytes from the peer that are no message; the text ends a sentence that begins with the server's name."""


# A message's type, its name, its sequence id, and the offset at which its body begins. (Not a NamedTuple: making one
# takes as long as reading the head.)
Head = tuple[int, bytes, int, int]


class Codec:
    """Encodes calls and decodes replies of one protocol. It keeps no state between messages but the buffer read."""

    # thrift's class in Python, and its function in C.
    _protocol: Any
    _decode: Any

    def __init__(self, *, accelerated: bool = True) -> None:
        self._fast = fastbinary is not None and accelerated
        self._buffer = b""
        self._source = _Source()
        self._reader = _Reader(self._source)

    def encode(self, method: Method, seqid: int, args: Any) -> bytes:
        """A CALL, or a ONEWAY. Raises TypeError or OverflowError for arguments that the IDL's types cannot hold."""
        raise NotImplementedError

    def head(self, start: int, end: int) -> Head:
        """The head of the message that lies at ``start`` to ``end`` of the buffer; raises Malformed."""
        raise NotImplementedError

    def load(self, buffer: bytes) -> None:
        """Takes the buffer that the next messages lie in."""
        self._buffer = buffer
        # A length in a message is never believed beyond the bytes that are there.
        self._reader.string_length_limit = self._reader.container_length_limit = len(buffer)
        self._source.cstringio_buf = BytesIO(buffer)

    def result(self, method: Method, body: int, end: int) -> Any:
        """The generated result at ``body`` to ``end`` of the buffer, all of it; raises Malformed."""
        result = method.result()
        try:
            if self._fast:
                source = self._source.cstringio_buf
                source.seek(body)
                self._decode(result, self._reader, method.result_spec)
                consumed = source.tell()
            else:
                consumed = body + self._read_slowly(result, body, end)
        except Exception as error:  # whatever the library raises over a peer's bytes
            raise Malformed(f"sent an answer that does not decode ({_describe(error)})") from error
        if consumed != end:
            raise Malformed("sent an answer that does not end where its message ends")
        return result

    def exception(self, body: int, end: int) -> TApplicationException:
        """The TApplicationException at ``body`` to ``end`` of the buffer; raises Malformed."""
        exception = TApplicationException()
        try:
            consumed = body + self._read_slowly(exception, body, end)
        except Exception as error:  # as above
            raise Malformed(f"sent an exception that does not decode ({_describe(error)})") from error
        if consumed != end:
            raise Malformed("sent an exception that does not end where its message ends")
        return exception

    def _read_slowly(self, value: Any, body: int, end: int) -> int:
        memory = _Memory(self._buffer[body:end])
        value.read(self._protocol(memory))
        return memory.position

    def _write_slowly(self, args: Any) -> bytes:
        memory = TMemoryBuffer()
        try:
            args.write(self._protocol(memory))
        except struct.error as error:
            raise TypeError(str(error)) from error
        written: bytes = memory.getvalue()
        return written


class BinaryCodec(Codec):
    """The strict binary protocol."""

    _protocol = TBinaryProtocol
    _decode = staticmethod(fastbinary.decode_binary) if fastbinary else None

    def encode(self, method: Method, seqid: int, args: Any) -> bytes:
        body = fastbinary.encode_binary(args, method.args_spec) if self._fast else self._write_slowly(args)
        return method.binary_head + _pack_i32(seqid) + body

    def head(self, start: int, end: int) -> Head:
        buffer = self._buffer
        if end - start < 12:
            raise Malformed("sent a message that is cut short")
        version, kind, length = _unpack_binary_head(buffer, start)
        if version != BINARY_VERSION:
            raise Malformed("sent a message that is not strict binary")
        named = start + 8 + length
        if named + 4 > end:
            raise Malformed("sent a message that is cut short")
        (seqid,) = _unpack_i32(buffer, named)
        return kind, buffer[start + 8 : named], seqid, named + 4


class CompactCodec(Codec):
    """The compact protocol."""

    _protocol = TCompactProtocol
    _decode = staticmethod(fastbinary.decode_compact) if fastbinary else None

    def encode(self, method: Method, seqid: int, args: Any) -> bytes:
        body = fastbinary.encode_compact(args, method.args_spec) if self._fast else self._write_slowly(args)
        name = method.call_name
        seqid_written, length = varint_write(seqid & 0xFFFFFFFF), varint_write(len(name))
        return b"%b%b%b%b%b" % (method.compact_head, seqid_written, length, name, body)

    def head(self, start: int, end: int) -> Head:
        buffer = self._buffer
        if end - start < 4 or buffer[start] != COMPACT_ID or buffer[start + 1] & 0x1F != COMPACT_VERSION:
            raise Malformed("sent a message that is not compact")
        try:
            seqid, position = varint_read(buffer, start + 2, 32)
            length, position = varint_read(buffer, position, 32)
        except (IndexError, ValueError) as error:
            raise Malformed("sent a message whose head does not decode") from error
        named = position + length
        if named > end:
            raise Malformed("sent a message that is cut short")
        signed = seqid - 2**32 if seqid >= 2**31 else seqid
        return buffer[start + 1] >> 5, buffer[position:named], signed, named


class _Source:
    """What thrift's C code reads from: thrift.transport.TTransport.CReadableTransport."""

    __slots__ = ("cstringio_buf",)
    cstringio_buf: BytesIO

    def cstringio_refill(self, _partial: bytes, _wanted: int) -> BytesIO:
        raise EOFError("it is cut short")


class _Reader:
    """What thrift's C code looks at in a protocol."""

    __slots__ = ("container_length_limit", "string_length_limit", "trans")
    container_length_limit: int
    string_length_limit: int

    def __init__(self, source: _Source) -> None:
        self.trans = source


class _Memory:
    """What thrift's Python code reads from: only bytes that are there."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def readAll(self, count: int) -> bytes:  # noqa: N802 - thrift's name
        start, end = self.position, self.position + count
        if count < 0 or end > len(self._content):
            raise EOFError("it is cut short")
        self.position = end
        return self._content[start:end]


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


_pack_i32 = struct.Struct(">i").pack
_unpack_i32 = struct.Struct(">i").unpack_from
_unpack_binary_head = struct.Struct(">HxBI").unpack_from
CODECS: dict[str, type[Codec]] = {"binary": BinaryCodec, "compact": CompactCodec}
