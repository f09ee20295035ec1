"""A connection that threads share: their calls are sent together, and one of them reads for all.

There is no thread of its own. A caller sends what is queued if nobody is sending, then reads until its own answer
has come if nobody is reading, and otherwise sleeps until its answer has come or a role has become free. So a lone
caller does all on its own thread, with no hand-off. A oneway call is over when it was sent: its caller never reads.
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
from ._readiness import wait_writable
from ._session import Session, Unsent
from ._spin import SPIN_S, Spin
from ._tls_socket import AnySocket, readable
from .errors import CalculateError, ConnectionClosed

_READ_BYTES = 65_536

# What a caller's thread does for a while; returns what it does next.
Role = Callable[["_Call", float], Any]


class Connection:
    """One connection and the calls on it."""

    def __init__(self, sock: AnySocket, options: Options, server: str) -> None:
        self._sock = sock
        self._wait_readable = readable(sock)
        self._spin = Spin()
        self._server = server
        # Guards all below and every call's state; never held over a system call that can block.
        self._mutex = threading.Lock()
        self._session: Session[_Call] = Session(options, server)
        # Whose thread is sending and whose is reading. Only these two touch the socket, so it is closed when both
        # have left.
        self._sender: _Call | None = None
        self._reader: _Call | None = None
        # What the sender has taken and has not sent yet; the next one goes on with it.
        self._outgoing = b""

    def call(self, method: Method, args: Any, timeout: float, deadline: float) -> Any:
        """The answer to one call; raises what it ended with, or Unsent."""
        call = _Call(method)
        try:
            role = self._begin(call, args)
            while role is not None:
                role = role(call, deadline)
        except _Late:
            self._give_up(call, timeout)
        except BaseException:
            self._leave(call, whole=False)
            raise
        return _result(call)

    def hold(self, method: Method, args: Any, until: float) -> HeldCall:
        """Makes a call that stays in flight when it is not answered by ``until``; raises Unsent.

        It is then to be finished at once, on any thread.
        """
        call = _Call(method)
        try:
            role = self._begin(call, args)
            while role is not None:
                role = role(call, until)
        except _Late:
            self._pause(call)
        except BaseException:
            self._leave(call, whole=False)
            raise
        if isinstance(call.error, Unsent):
            raise call.error
        return HeldCall(self, call)

    def finish(self, call: _Call, timeout: float, deadline: float) -> Any:
        """As ``call``, for a call that was held."""
        try:
            with self._mutex:
                role = self._next_role(call)
            while role is not None:
                role = role(call, deadline)
        except _Late:
            self._give_up(call, timeout)
        except BaseException:
            self._leave(call, whole=False)
            raise
        return _result(call)

    def retire(self) -> None:
        """Takes no new call; the connection ends with the last one in flight."""
        with self._mutex:
            self._session.usable = False
            self._settle()

    def given_up(self) -> ConnectionClosed:
        """As Session.given_up."""
        with self._mutex:
            return self._session.given_up()

    def close(self, error: ConnectionClosed) -> None:
        """Ends the connection; every call in flight fails with ``error``."""
        with self._mutex:
            self._session.end(error)
            self._settle()

    def forget(self) -> None:
        """Closes this process's copy of the socket only, after a fork: the parent goes on using it."""
        self._sock.close()

    def _begin(self, call: _Call, args: Any) -> Role | None:
        """Queues a call; what its thread does first. Raises Unsent."""
        session = self._session
        with self._mutex:
            if not session.pending and self._reader is None and self._wait_readable(0):
                self._look()
            if not session.usable:
                raise Unsent
            session.start(call, args)
            return self._next_role(call)

    def _next_role(self, call: _Call) -> Role | None:
        """What the thread of ``call`` does next; nothing when the call is done. With the mutex held."""
        if call.done:
            return None
        if self._sender is None and (self._session.unsent or self._outgoing):
            self._sender = call
            self._outgoing += self._session.take_unsent()
            return self._send
        if self._reader is None and not call.method.is_oneway:
            self._reader = call
            return self._read
        call.park()
        return self._sleep

    def _send(self, call: _Call, deadline: float) -> Role | None:
        """Sends all that is queued, also what is queued meanwhile."""
        while True:
            try:
                sent = self._sock.send(self._outgoing)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._fail(error)
                sent = len(self._outgoing)
            if sent < len(self._outgoing):
                self._outgoing = self._outgoing[sent:]
                self._wait_writable(call, deadline)
                continue
            with self._mutex:
                if self._session.oneway:
                    self._session.sent()
                self._outgoing = self._session.take_unsent() if self._session.unsent else b""
                if not self._outgoing:
                    self._sender = None
                    if not self._session.usable:
                        self._settle()
                    return self._next_role(call)

    def _wait_writable(self, call: _Call, deadline: float) -> None:
        # A server may stop reading until its answers are read; if nobody else does, this caller must.
        with self._mutex:
            reads = self._reader is None
            if reads:
                self._reader = call
        wait_writable(self._sock, _wait_ms(deadline), or_readable=reads)
        if reads:
            if self._wait_readable(0):
                self._receive()
            with self._mutex:
                self._reader = None
                self._wake_one()
                self._settle()

    def _read(self, call: _Call, deadline: float) -> Role | None:
        """Reads for everybody until the own answer has come."""
        while not call.done:
            wait_ms = _wait_ms(deadline)  # which is looked at each time, however much comes
            if self._spins() or self._wait_readable(wait_ms):
                self._receive()
        with self._mutex:
            self._reader = None
            if self._session.pending:
                self._wake_one()
            if not self._session.usable:
                self._settle()
        return None

    def _spins(self) -> bool:
        """Looks for an answer for a moment, without sleeping; whether there is something to read. For a lone caller."""
        if len(self._session.pending) > 1 or not self._spin.is_due():
            return False
        until = monotonic() + SPIN_S
        while not self._wait_readable(0):
            if monotonic() >= until:
                self._spin.failed()
                return False
        self._spin.succeeded()
        return True

    def _sleep(self, call: _Call, deadline: float) -> Role | None:
        """Sleeps until the answer has come, or until a role may be free."""
        call.alarm.acquire(timeout=_wait_ms(deadline) / 1000)
        with self._mutex:
            return self._next_role(call)

    def _receive(self) -> None:
        """Reads once and hands out what came. For the reader."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
            return
        with self._mutex:
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Hands out what was read. With the mutex held."""
        if data:
            self._session.receive(data)
        else:
            self._session.lose(None)
        if not self._session.usable:
            self._settle()

    def _look(self) -> None:
        """Takes in what came while nobody was reading: the end of the connection, or a late answer. As _take."""
        while self._session.usable and self._wait_readable(0):
            try:
                self._take(self._sock.recv(_READ_BYTES))
            except BlockingIOError:
                continue
            except OSError as error:
                self._session.lose(error)
                self._settle()

    def _fail(self, error: OSError) -> None:
        with self._mutex:
            self._session.lose(error)
            self._settle()

    def _give_up(self, call: _Call, timeout: float) -> None:
        """Ends a call whose deadline has passed, unless its answer has come after all."""
        self._leave(call, whole=True)
        if not call.done:
            raise self._session.late(call.method, timeout) from None

    def _pause(self, call: _Call) -> None:
        """Gives up the roles of a call's thread; whoever finishes the call takes them up again."""
        with self._mutex:
            call.parked = False
            if self._reader is call:
                self._reader = None
            if self._sender is call:
                self._sender = None
            self._wake_one()
            self._settle()

    def _leave(self, call: _Call, *, whole: bool) -> None:
        """Gives up a call that is not done, and the roles of its thread.

        ``whole``: what the thread was sending, if it was, is in ``_outgoing`` as far as it was not sent.
        """
        with self._mutex:
            self._session.abandon(call)
            if self._reader is call:
                self._reader = None
            if self._sender is call:
                self._sender = None
                # Half a message may have gone out. Somebody must send the rest, or nothing more can be sent.
                if not whole or self._sleeper() is None:
                    self._session.end(ConnectionClosed(_text.stalled(self._server)))
            self._wake_one()
            self._settle()

    def _wake_one(self) -> None:
        """Lets one sleeper look for a free role. Who is not asleep yet looks before going to sleep."""
        call = self._sleeper()
        if call is not None:
            call.wake()

    def _sleeper(self) -> _Call | None:
        """The oldest call whose thread sleeps; a oneway one, which can only send, if there is no other."""
        session = self._session
        for calls in (session.pending, session.oneway if self._sender is None else {}):
            for call in calls.values():
                if call.parked:
                    return call
        return None

    def _settle(self) -> None:
        """Closes the socket of a finished session, once nobody is using it. With the mutex held."""
        if not self._session.finished:
            return
        with contextlib.suppress(OSError):  # not connected any more: they see that, too
            self._sock.shutdown(socket.SHUT_RDWR)  # wakes them
        if self._reader is None and self._sender is None:
            self._sock.close()


def _wait_ms(deadline: float) -> int:
    """How long to wait for something; raises _Late when the deadline has passed."""
    remaining = deadline - monotonic()
    if remaining <= 0:
        raise _Late
    return int(remaining * 1000) + 1  # the next one, as a wait must not end just before the deadline


def _result(call: _Call) -> Any:
    if call.error is None:
        return call.value
    try:
        raise call.error
    finally:
        del call  # or the error, its traceback, this frame and the call would keep each other alive


class HeldCall:
    """A call that ``hold`` made."""

    def __init__(self, connection: Connection, call: _Call) -> None:
        self._connection = connection
        self._call = call

    @property
    def done(self) -> bool:
        """Whether it is over, so that ``finish`` does not wait."""
        return self._call.done

    def finish(self, timeout: float, deadline: float) -> Any:
        """Its answer; raises as ``Connection.call`` does."""
        return self._connection.finish(self._call, timeout, deadline)


class _Late(Exception):
    """The deadline of the caller has passed."""


class _Call:
    """A call in flight and the thread that waits for it."""

    # Set where they differ, which is less to do for each call than setting all.
    seqid = 0
    mark = 0
    done = False
    value: Any = None
    error: CalculateError | None = None
    # Whether the thread sleeps on ``alarm``, a lock that it has taken once and that waking it releases.
    parked = False
    alarm: threading.Lock

    def __init__(self, method: Method) -> None:
        self.method = method

    def resolve(self, value: Any) -> None:
        self.value = value
        self.done = True
        if self.parked:
            self.wake()

    def reject(self, error: CalculateError) -> None:
        self.error = error
        self.done = True
        if self.parked:
            self.wake()

    def park(self) -> None:
        if not hasattr(self, "alarm"):
            self.alarm = threading.Lock()
        # It may have been released when nobody slept any more.
        self.alarm.acquire(blocking=False)
        self.parked = True

    def wake(self) -> None:
        self.parked = False
        self.alarm.release()
