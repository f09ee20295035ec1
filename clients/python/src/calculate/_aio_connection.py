"""A connection that the tasks of one event loop share: an asyncio.Protocol around a Session.

There is no task of its own. Calls made in one turn of the loop leave in one write at its end; answers are handed out
as they are read; one timer sweeps up the calls whose deadline has passed.
"""

from __future__ import annotations

import asyncio
import math
from time import monotonic
from typing import Any

from ._method import Method
from ._options import Options
from ._readiness import WaitReadable, wait_readable
from ._session import Session
from .errors import CalculateError, ConnectionClosed

_SWEEP_GAP_S = 0.001  # at least this between two sweeps, as each looks at all calls


class AioConnection(asyncio.Protocol):
    """One connection and the calls on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: Options, server: str) -> None:
        self._loop = loop
        self.session: Session[AioCall] = Session(options, server)
        self._transport: asyncio.Transport
        self._wait_readable: WaitReadable
        # Between pause_writing and resume_writing the session keeps what is to be sent.
        self._paused = False
        # The next sweep, never later than the earliest deadline.
        self._sweep_at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        # Done when the transport has let go of the socket.
        self.lost: asyncio.Future[None] = loop.create_future()

    def start(self, method: Method, args: Any, timeout: float, deadline: float) -> AioCall:
        """Puts a call on the connection, which must be usable; its ``answer`` is to be awaited."""
        session = self.session
        call = AioCall(method, self._loop.create_future(), timeout, deadline)
        was_idle = not session.pending
        if session.start(call, args):
            self._loop.call_soon(self._look_and_send if was_idle else self._send)
        if deadline < self._sweep_at:
            self._sweep_at_latest(deadline)
        return call

    def abandon(self, call: AioCall) -> None:
        """Gives up a call that was cancelled."""
        self.session.abandon(call)
        self._settle()

    def end(self, error: ConnectionClosed) -> None:
        """Ends the connection; every call in flight fails with ``error``."""
        self.session.end(error)
        self._settle()

    def retire(self) -> None:
        """Takes no new call; the connection ends with the last one in flight."""
        self.session.usable = False
        self._settle()

    def fail(self, error: OSError | None) -> None:
        """Ends the connection, which the server closed (None) or which was lost."""
        self.session.lose(error)
        self._settle()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # What the socket does not take pauses writing at once, and resumes it when all of it was taken: that is when
        # oneway calls are over.
        transport.set_write_buffer_limits(0)
        self._wait_readable = wait_readable(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        self.session.receive(data)
        self._settle()

    def eof_received(self) -> None:
        self.fail(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(error if isinstance(error, OSError) else None)
        if not self.lost.done():
            self.lost.set_result(None)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._look_if_sent()
        self._send()

    def _look_and_send(self) -> None:
        # The end of a connection that was closed while idle may be there but not read yet: nothing is sent before
        # the loop has read it, which it does after what was called soon in this turn.
        if self.session.usable and self._wait_readable(0):
            self._loop.call_soon(self._loop.call_soon, self._look_and_send)
        else:
            self._send()

    def _send(self) -> None:
        session = self.session
        if not self._paused and session.unsent and session.ended is None:
            self._transport.write(session.take_unsent())
            if session.oneway:
                self._look_if_sent()

    def _look_if_sent(self) -> None:
        # A transport that is closing may have thrown away what it was given, and will say so.
        if not self._paused and not self._transport.is_closing():
            self.session.sent()
            self._settle()

    def _sweep_at_latest(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._sweep_at = when
        self._timer = self._loop.call_later(when - monotonic(), self._sweep)

    def _sweep(self) -> None:
        """Gives up every call whose deadline has passed, and sets the timer for the others."""
        now = monotonic()
        self._timer = None
        self._sweep_at = math.inf
        earliest = math.inf
        for call in [*self.session.pending.values(), *self.session.oneway.values()]:
            if call.deadline > now:
                earliest = min(earliest, call.deadline)
            elif self.session.abandon(call):
                call.reject(self.session.late(call.method, call.timeout))
        if earliest < math.inf:
            self._sweep_at_latest(max(earliest, now + _SWEEP_GAP_S))
        self._settle()

    def _settle(self) -> None:
        """Closes the transport of a finished session."""
        if not self.session.usable and self.session.finished:
            if self._timer is not None:
                self._timer.cancel()
            self._transport.abort()


class AioCall:
    """A call in flight."""

    __slots__ = ("answer", "deadline", "mark", "method", "seqid", "timeout")
    seqid: int
    mark: int

    def __init__(self, method: Method, answer: asyncio.Future[Any], timeout: float, deadline: float) -> None:
        self.method = method
        # What the caller's task awaits; cancelled with the task.
        self.answer = answer
        self.timeout = timeout
        self.deadline = deadline

    def resolve(self, value: Any) -> None:
        # It may be cancelled while its task has not come round to saying so. (suppress() costs more than the rest.)
        try:  # noqa: SIM105
            self.answer.set_result(value)
        except asyncio.InvalidStateError:
            pass

    def reject(self, error: CalculateError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
