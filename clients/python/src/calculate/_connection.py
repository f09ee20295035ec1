"""A connection that threads share: their calls are sent together, and one of them reads for all.

There is no thread of its own. A caller sends what is queued if nobody is sending, then reads until its own answer
has come if nobody is reading, and otherwise sleeps until its answer has come or a role has become free. So a lone
caller does all on its own thread, with no hand-off.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from . import _text
from ._method import Method
from ._options import Options
from ._readiness import Readable, wait_writable
from ._session import Session, Unsent
from .errors import CalculateError, ConnectionClosed, DeadlineExceeded

_READ_BYTES = 65_536
_SLEEP_S_MAX = 60.0

# What a caller's thread does for a while; returns what it does next.
Role = Callable[["_Call", float], Any]


class Connection:
    """One TCP connection and the calls on it."""

    def __init__(self, sock: socket.socket, options: Options, server: str) -> None:
        self._sock = sock
        self._readable = Readable(sock)
        self._server = server
        # Guards all below and every call's state; never held over a system call that can block.
        self._mutex = threading.Lock()
        self._session: Session[_Call] = Session(options, server)
        # Whose thread is sending and whose is reading. Only these two touch the socket, so it is closed when both
        # have left.
        self._sender: _Call | None = None
        self._reader: _Call | None = None
        # What a sender could not finish before its deadline; it goes first.
        self._rest = b""

    def call(self, method: Method, args: Any, timeout: float, deadline: float) -> Any:
        """The answer to one call; raises what it ended with, or Unsent."""
        call = _Call(method)
        try:
            with self._mutex:
                if self._reader is None and self._session.idle:
                    self._look()
                if not self._session.usable:
                    raise Unsent
                self._session.start(call, args)
                role = self._next_role(call)
            while role is not None:
                role = role(call, deadline)
        except _Late:
            self._leave(call, whole=True)
            if not call.done:
                raise DeadlineExceeded(_text.no_answer(self._server, method.name, timeout)) from None
        except BaseException:
            self._leave(call, whole=False)
            raise
        if call.error is not None:
            raise call.error
        return call.value

    def close(self, error: ConnectionClosed) -> None:
        """Ends the connection; every call in flight fails with ``error``."""
        with self._mutex:
            self._session.end(error)
            self._settle()

    def forget(self) -> None:
        """Closes this process's copy of the socket only, after a fork: the parent goes on using it."""
        self._sock.close()

    @property
    def usable(self) -> bool:
        """Whether a new call may be put on the connection, as far as is known without looking."""
        with self._mutex:
            return self._session.usable

    def _next_role(self, call: _Call) -> Role | None:
        """What the thread of ``call`` does next; nothing when the call is done. With the mutex held, as _settle."""
        if call.done:
            return None
        if self._sender is None and (self._session.has_unsent or self._rest):
            self._sender = call
            return self._send
        if self._reader is None:
            self._reader = call
            return self._read
        call.park()
        return self._sleep

    def _send(self, call: _Call, deadline: float) -> Role | None:
        """Sends all that is queued, also what is queued meanwhile."""
        while True:
            with self._mutex:
                data = self._rest + self._session.take_unsent()
                self._rest = b""
                if not data or self._session.ended is not None:
                    self._sender = None
                    self._settle()
                    return self._next_role(call)
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._fail(error)
                continue
            if sent < len(data):
                with self._mutex:
                    self._rest = data[sent:]
                self._wait_writable(call, deadline)

    def _wait_writable(self, call: _Call, deadline: float) -> None:
        remaining = deadline - monotonic()
        if remaining <= 0:
            raise _Late
        # A server may stop reading until its answers are read; if nobody else does, this caller must.
        with self._mutex:
            reads = self._reader is None
            if reads:
                self._reader = call
        wait_writable(self._sock, remaining, or_readable=reads)
        if reads:
            data = self._receive() if self._readable.now() else None
            with self._mutex:
                self._take(data)
                self._reader = None
                self._wake_one()

    def _read(self, call: _Call, deadline: float) -> Role | None:
        """Reads for everybody until the own answer has come."""
        while True:
            if self._readable.wait(deadline - monotonic()):
                data = self._receive()
            elif monotonic() < deadline:
                continue
            else:
                raise _Late
            with self._mutex:
                self._take(data)
                if call.done:
                    self._reader = None
                    self._wake_one()
                    self._settle()
                    return None

    def _sleep(self, call: _Call, deadline: float) -> Role | None:
        """Sleeps until the answer has come, or until a role may be free."""
        remaining = deadline - monotonic()
        if not (remaining > 0 and call.alarm.acquire(timeout=min(remaining, _SLEEP_S_MAX))) and deadline <= monotonic():
            raise _Late
        with self._mutex:
            return self._next_role(call)

    def _receive(self) -> bytes | ConnectionClosed | None:
        """What there is to read: bytes, why there will be none any more, or nothing yet."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            return self._lost(error)
        return data or ConnectionClosed(_text.closed_by_server(self._server))

    def _take(self, data: bytes | ConnectionClosed | None) -> None:
        """Hands out what was received. With the mutex held."""
        if isinstance(data, bytes):
            self._session.receive(data)
        elif data is not None:
            self._session.end(data)
        self._settle()

    def _look(self) -> None:
        """Takes in what came while nobody was reading: the end of the connection, or a late answer."""
        while self._readable.now() and self._session.usable:
            self._take(self._receive())

    def _fail(self, error: OSError) -> None:
        self.close(self._lost(error))

    def _lost(self, error: OSError) -> ConnectionClosed:
        closed = ConnectionClosed(_text.lost(self._server, error))
        closed.__cause__ = error
        return closed

    def _leave(self, call: _Call, *, whole: bool) -> None:
        """Gives up a call that is not done, and the roles of its thread.

        ``whole``: what this thread was sending, if it was, is in ``_rest`` as far as it was not sent.
        """
        with self._mutex:
            self._session.abandon(call)
            if self._reader is call:
                self._reader = None
            if self._sender is call:
                self._sender = None
                # Half a message may have gone out. Somebody must send the rest, or nothing more can be sent.
                if not whole or not self._has_sleeper():
                    self._session.end(ConnectionClosed(_text.stalled(self._server)))
            self._wake_one()
            self._settle()

    def _has_sleeper(self) -> bool:
        return any(call.parked for call in self._session.pending.values())

    def _wake_one(self) -> None:
        """Lets one sleeper look for a free role. Who is not asleep yet looks before going to sleep."""
        for call in self._session.pending.values():
            if call.parked:
                call.wake()
                return

    def _settle(self) -> None:
        """Closes the socket of a finished session, once nobody is using it."""
        if not self._session.finished:
            return
        if self._reader is None and self._sender is None:
            self._sock.close()
            return
        with contextlib.suppress(OSError):  # not connected any more: they see that, too
            self._sock.shutdown(socket.SHUT_RDWR)  # wakes them


class _Late(Exception):
    """The deadline of the caller has passed."""


class _Call:
    """A call in flight and the thread that waits for it."""

    __slots__ = ("alarm", "done", "error", "mark", "method", "parked", "seqid", "value")
    alarm: threading.Lock

    def __init__(self, method: Method) -> None:
        self.method = method
        self.seqid = 0
        self.mark = 0
        self.done = False
        self.value: Any = None
        self.error: CalculateError | None = None
        # Whether the thread sleeps on ``alarm``, a lock that it has taken once and that waking it releases.
        self.parked = False

    def resolve(self, value: Any) -> None:
        self.value = value
        self.done = True
        self.wake()

    def reject(self, error: CalculateError) -> None:
        self.error = error
        self.done = True
        self.wake()

    def park(self) -> None:
        if not hasattr(self, "alarm"):
            self.alarm = threading.Lock()
            self.alarm.acquire()
        self.parked = True

    def wake(self) -> None:
        if self.parked:
            self.parked = False
            self.alarm.release()
