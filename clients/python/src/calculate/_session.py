"""One connection's state, without I/O: what is owed, what may still come late, and what the bytes read mean.

Shared by the blocking and the asyncio connection. Not thread-safe: its owner guards it.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from . import _text
from ._framing import make_framer
from ._message import CODECS, EXCEPTION, REPLY, Malformed
from ._method import Method
from ._options import Options
from ._tls_fault import TlsFault
from .errors import (
    ApplicationError,
    CalculateError,
    ConnectionClosed,
    DeadlineExceeded,
    Overloaded,
    ProtocolError,
)

ABANDONED_MAX = 1024
_SEQID_MAX = 2**31 - 1
_LOADSHEDDING = 11  # fbthrift's number for it
_TLS_ALERT = b"\x15\x03"  # how a record that refuses what is no TLS begins (RFC 8446, 5.1)


class Unsent(ConnectionClosed):
    """The connection takes no new call, or ended before any of the call was sent: it can be made on another one."""


class Call(Protocol):
    """A call in flight, as its owner keeps it."""

    method: Method
    seqid: int
    mark: int
    """How many reads the connection had seen when the call was made."""

    def resolve(self, value: Any) -> None:
        """Its answer is ``value``."""

    def reject(self, error: CalculateError) -> None:
        """It has failed."""


C = TypeVar("C", bound=Call)


class Session(Generic[C]):
    """The calls on one connection, matched with their answers."""

    def __init__(self, options: Options, server: str) -> None:
        self._codec = CODECS[options.protocol]()
        self._framer = make_framer(options)
        self._length_max = options.max_message_bytes
        self._server = server
        self._plain = options.tls is None
        self._last_seqid = 0
        self._reads = 0
        # Ids whose answer is awaited, oldest first, and ids whose answer will be dropped: no id is in both.
        self.pending: dict[int, C] = {}
        self._abandoned: set[int] = set()
        # Oneway calls that are not sent yet. No answer is awaited, so none of these ids is pending or abandoned; and
        # none can come round to another call, as calls leave in their order.
        self.oneway: dict[int, C] = {}
        # Frames in the order of their calls; whoever sends takes all of them.
        self.unsent: dict[int, bytes] = {}
        # Whether a new call may be put on the connection. Once not, it ends with its last call.
        self.usable = True
        # Why the connection ended; nothing is in flight then.
        self.ended: CalculateError | None = None

    @property
    def finished(self) -> bool:
        """Whether the socket can be closed."""
        return not self.usable and not self.pending and not self.oneway

    def start(self, call: C, args: Any) -> bool:
        """Numbers, encodes and queues a call; true when nothing else was waiting to be sent.

        Raises TypeError or OverflowError for arguments that do not fit the IDL, and ValueError for a message
        longer than max_message_bytes; then nothing has happened.
        """
        seqid = self._last_seqid + 1
        if seqid > _SEQID_MAX or seqid in self.pending or seqid in self._abandoned:
            seqid = self._free_seqid()
        self._last_seqid = seqid
        message = self._codec.encode(call.method, seqid, args)
        if len(message) > self._length_max:
            raise ValueError(f"the call takes {len(message)} bytes, max_message_bytes is {self._length_max}")
        call.seqid = seqid
        call.mark = self._reads
        if call.method.is_oneway:
            self.oneway[seqid] = call
        else:
            self.pending[seqid] = call
        first = not self.unsent
        self.unsent[seqid] = self._framer.wrap(message)
        return first

    def take_unsent(self) -> bytes:
        """All that waits to be sent, as one."""
        if len(self.unsent) == 1:
            return self.unsent.popitem()[1]
        data = b"".join(self.unsent.values())
        self.unsent.clear()
        return data

    def sent(self) -> None:
        """All that was taken has been given to the socket: the oneway calls in it are over."""
        for seqid in [seqid for seqid in self.oneway if seqid not in self.unsent]:
            self.oneway.pop(seqid).resolve(None)

    def receive(self, data: bytes) -> None:
        """Takes what was read and resolves the calls that it answers; afterwards, look at ``finished``."""
        self._reads += 1
        buffer, spans = self._framer.feed(data)
        culprit: C | None = None
        try:
            if spans:
                self._codec.load(buffer)
            for start, end in spans:
                kind, name, seqid, body = self._codec.head(start, end)
                culprit = self.pending.pop(seqid, None)
                if culprit is None:
                    self._drop(seqid)
                elif seqid in self.unsent:
                    raise Malformed("answered a call before it was sent")
                else:
                    self._answer(culprit, kind, name, body, end)
                    culprit = None
            if self._framer.fault is not None:
                raise Malformed(self._framer.fault)
        except Malformed as error:
            if self._plain and self._reads == 1 and data.startswith(_TLS_ALERT):
                self.end(ConnectionClosed(_text.wants_tls(self._server)))
            else:
                self._end_faulty(str(error), culprit, error)

    def given_up(self) -> ConnectionClosed:
        """The error of a call that could not be sent, here or on connections before this one."""
        cause = self.ended.__cause__ if self.ended is not None else None
        if isinstance(cause, TlsFault):
            return ConnectionClosed(_text.lost(self._server, cause))
        return ConnectionClosed(_text.closed_at_once(self._server))

    def late(self, method: Method, timeout: float) -> DeadlineExceeded:
        """The error of a call whose ``timeout``, in seconds, has passed."""
        text = _text.not_taken if method.is_oneway else _text.no_answer
        return DeadlineExceeded(text(self._server, method.name, timeout))

    def abandon(self, call: C) -> bool:
        """Gives a call up, unless it is over already; an answer that comes later is dropped."""
        seqid = call.seqid
        in_flight = self.oneway if call.method.is_oneway else self.pending
        if in_flight.get(seqid) is not call:
            return False
        del in_flight[seqid]
        if self.unsent.pop(seqid, None) is None and in_flight is self.pending:
            if len(self._abandoned) >= ABANDONED_MAX:
                self.usable = False
            else:
                self._abandoned.add(seqid)
        if call.mark == self._reads:
            self.usable = False
        return True

    def end(self, error: ConnectionClosed) -> None:
        """Ends the connection: every call in flight fails with an error like ``error``."""
        if self.ended is None:
            self.ended = error
            self.usable = False
            self._fail_all(error)

    def lose(self, error: OSError | None) -> None:
        """Ends the connection, which the server closed (None) or which was lost."""
        text = _text.closed_by_server(self._server) if error is None else _text.lost(self._server, error)
        if self._plain and not self._reads:
            text = _text.may_want_tls(text)
        closed = ConnectionClosed(text)
        closed.__cause__ = error
        self.end(closed)

    def _free_seqid(self) -> int:
        seqid = self._last_seqid
        while True:
            seqid = seqid + 1 if seqid < _SEQID_MAX else 1
            if seqid not in self.pending and seqid not in self._abandoned:
                return seqid

    def _answer(self, call: C, kind: int, name: bytes, body: int, end: int) -> None:
        method = call.method
        if name != method.wire_name:
            raise Malformed(f"answered {method.name} with an answer to {name!r}")
        if kind == REPLY:
            result = self._codec.result(method, body, end)
            try:
                value = method.outcome(result, self._server)
            except CalculateError as error:
                call.reject(error.with_traceback(None))  # it will be raised where the call was made
            except Exception as error:
                raise Malformed(f"answered {method.name} with {error}") from error
            else:
                call.resolve(value)
        elif kind == EXCEPTION:
            exception = self._codec.exception(body, end)
            text = exception.message or ""
            if exception.type == _LOADSHEDDING:
                call.reject(Overloaded(_text.overloaded(self._server, method.name, text)))
            else:
                call.reject(ApplicationError(exception.type, text, self._server))
        else:
            raise Malformed(f"answered {method.name} with a message of the type {kind}")

    def _drop(self, seqid: int) -> None:
        if seqid not in self._abandoned:
            raise Malformed(f"answered the call {seqid}, which nobody made or which was answered before")
        self._abandoned.remove(seqid)

    def _end_faulty(self, what: str, culprit: C | None, cause: Exception) -> None:
        """A ProtocolError for the call whose answer is at fault, or the oldest when that cannot be told."""
        error = ProtocolError(_text.protocol(self._server, what))
        error.__cause__ = cause
        self.ended = error
        self.usable = False
        if culprit is None and self.pending:
            culprit = self.pending.pop(next(iter(self.pending)))
        if culprit is not None:
            culprit.reject(error)
        self._fail_all(ConnectionClosed(_text.closed_by_fault(self._server, what)))

    def _fail_all(self, error: ConnectionClosed) -> None:
        in_flight, unsent = [*self.pending.items(), *self.oneway.items()], self.unsent
        self.pending, self.oneway, self.unsent = {}, {}, {}
        for seqid, call in in_flight:
            kind = Unsent if seqid in unsent else ConnectionClosed
            each = kind(*error.args)
            each.__cause__ = error.__cause__
            call.reject(each)
