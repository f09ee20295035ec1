"""Where a reply ends: after a length (framed, thrift-rpc.md) or where its content says so (unframed)."""

from __future__ import annotations

from ._extent import EXTENTS, Extent, Walk
from ._message import Malformed
from ._options import Options

# (start, end) of each whole message in a buffer.
Spans = list[tuple[int, int]]


class Framed:
    """Each message behind its length: an i32, big-endian, that does not count itself."""

    def __init__(self, length_max: int) -> None:
        self._length_max = length_max
        # What has arrived of the message that is not whole yet (a bytearray: a byte at a time must not cost an object
        # each), and how many bytes it takes to get on with it.
        self._partial = bytearray()
        self._missing = 0
        self.fault: str | None = None

    @staticmethod
    def wrap(message: bytes) -> bytes:
        """The message in its frame."""
        return len(message).to_bytes(4, "big") + message

    def feed(self, data: bytes) -> tuple[bytes, Spans]:
        """Takes what was read; gives a buffer and the whole messages in it, in order.

        ``fault`` then says what is wrong with what comes behind them, if something is.
        """
        if self._partial:
            self._partial += data
            self._missing -= len(data)
            if self._missing > 0:
                return b"", []
            data = bytes(self._partial)
            self._partial.clear()
        spans: Spans = []
        start, have = 0, len(data)
        while True:
            body = start + 4
            if body > have:
                missing = body - have
                break
            length = int.from_bytes(data[start:body], "big")
            if not 0 < length <= self._length_max:
                self.fault = self._describe(length, data[start:body])
                return data, spans
            end = body + length
            if end > have:
                missing = end - have
                break
            spans.append((body, end))
            start = end
        if start < have:
            self._partial += data[start:]
            self._missing = missing
        return data, spans

    def _describe(self, length: int, head: bytes) -> str:
        if head[:2] == b"\x80\x01" or head[:1] == b"\x82":
            return "answered without a frame; use framing='unframed'"
        if length == 0:
            return "sent an empty frame"
        return (
            f"announced a frame of {length} bytes, more than max_message_bytes ({self._length_max}); "
            "is it a Thrift server?"
        )


class Unframed:
    """Messages back to back: the end of one is found by walking through its fields as they arrive."""

    def __init__(self, extent: Extent, length_max: int) -> None:
        self._extent = extent
        self._length_max = length_max
        self._data = bytearray()
        self._walk = extent(self._data, 0, length_max)
        self.fault: str | None = None

    @staticmethod
    def wrap(message: bytes) -> bytes:
        """The message as it is."""
        return message

    def feed(self, data: bytes) -> tuple[bytes, Spans]:
        """As Framed.feed. A byte is walked over twice at most, however the bytes are cut into reads."""
        self._data += data
        spans: Spans = []
        start = 0
        try:
            while (end := _advance(self._walk)) is not None:
                spans.append((start, end))
                start = end
                self._walk = self._extent(self._data, start, self._length_max)
        except Malformed as error:
            self.fault = str(error)
        whole = bytes(self._data[:start])
        if start:
            del self._data[:start]
            self._walk = self._extent(self._data, 0, self._length_max)
        return whole, spans


Framer = Framed | Unframed


def make_framer(options: Options) -> Framer:
    """The framer that one connection reads with."""
    if options.framing == "framed":
        return Framed(options.max_message_bytes)
    return Unframed(EXTENTS[options.protocol], options.max_message_bytes)


def _advance(walk: Walk) -> int | None:
    """Where the message ends, or None while it is not all there."""
    try:
        next(walk)
    except StopIteration as done:
        end: int = done.value
        return end
    return None
