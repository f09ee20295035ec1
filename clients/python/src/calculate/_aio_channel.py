"""What an asyncio client calls through: the connection of the moment, replaced when it can no longer be used."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from . import _text
from ._aio_connection import AioConnection
from ._aio_dial import aio_dial, aio_secure
from ._aio_tls import AioTlsLayer
from ._channel import Key
from ._method import Method
from ._options import Options, check_timeout
from ._session import Unsent
from ._target import Target, UnixTarget
from ._tls_stream import TlsStream
from .errors import CalculateError, ConnectionClosed, DeadlineExceeded

_ATTEMPTS_MAX = 3


class AioChannel:
    """Calls to one server. The tasks of one event loop share it."""

    def __init__(self, target: Target | UnixTarget, options: Options) -> None:
        self._target = target
        self._options = options
        self._server = str(target)
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._connection: AioConnection | None = None
        # The connection of the moment and the retired ones that have calls in flight.
        self._live: set[AioConnection] = set()
        # One at a time, whoever waits for it.
        self._connecting: asyncio.Task[AioConnection] | None = None
        # What is said to whom it takes too long.
        self._late = _text.no_time_to_connect

    async def connect(self) -> None:
        """Makes the first connection, within the time-out of the options."""
        timeout = self._options.timeout
        try:
            await self._replace(None, timeout, monotonic() + timeout)
        except BaseException:
            await self.close()
            raise

    async def call(self, method: Method, args: Any, timeout: float | None, key: Key = None) -> Any:
        """The answer to one call, within ``timeout`` seconds or those of the options. The key chooses nothing."""
        if timeout is None:
            timeout = self._options.timeout
        else:
            check_timeout(timeout)
        return await self.call_until(method, args, timeout, monotonic() + timeout)

    async def call_until(self, method: Method, args: Any, timeout: float, deadline: float) -> Any:
        """As ``call``; a DeadlineExceeded quotes ``timeout``."""
        connection = self._connection
        for _ in range(_ATTEMPTS_MAX):
            if connection is None or not connection.session.usable:
                connection = await self._replace(connection, timeout, deadline)
                if not connection.session.usable:  # lost again before this task went on
                    continue
            call = connection.start(method, args, timeout, deadline)
            try:
                return await call.answer
            except Unsent:
                pass
            except BaseException:  # cancelled, or any error: then the call is over already
                connection.abandon(call)
                del call  # or the error, its traceback, this frame and the call would keep each other alive
                raise
        assert connection is not None
        raise connection.session.given_up()

    def retire(self) -> None:
        """Lets the connection end with the last of its calls in flight; the next call makes another."""
        if self._connection is not None:
            self._connection.retire()

    async def close(self) -> None:
        """Closes all connections; calls in flight fail with ConnectionClosed. May be repeated."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        live = list(self._live)
        for connection in live:
            connection.end(self._closed_error())
        for connection in live:
            await connection.lost

    async def _replace(self, used: AioConnection | None, timeout: float, deadline: float) -> AioConnection:
        """Another connection than ``used``: one that is there by now, or a new one."""
        if self._closed:
            raise self._closed_error()
        if self._connection is not None and self._connection is not used:
            return self._connection
        if self._connecting is None:
            # Its own task, which no caller's cancellation or short time-out takes from the others.
            limit = max(timeout, self._options.timeout)
            self._connecting = self._loop.create_task(self._connect(limit))
            self._connecting.add_done_callback(self._connected)
        connecting = self._connecting
        await asyncio.wait({connecting}, timeout=deadline - monotonic())
        if not connecting.done():
            raise DeadlineExceeded(self._late(self._server, timeout))
        if connecting.cancelled():
            raise self._closed_error()
        error = connecting.exception()
        if isinstance(error, CalculateError):
            raise type(error)(*error.args) from error.__cause__
        return connecting.result()

    async def _connect(self, timeout: float) -> AioConnection:
        tls = self._options.tls
        stream = None if tls is None else TlsStream(tls, self._target)
        deadline = monotonic() + timeout
        self._late = _text.no_time_to_connect
        sock = await aio_dial(self._target, timeout, deadline)
        if stream is not None:
            self._late = _text.no_time_for_handshake
            await aio_secure(sock, stream, self._server, timeout, deadline)
        connection = AioConnection(self._loop, self._options, self._server)
        protocol = connection if stream is None else AioTlsLayer(connection, sock, stream)
        await self._loop.create_connection(lambda: protocol, sock=sock)
        self._live.add(connection)
        connection.lost.add_done_callback(lambda _: self._live.discard(connection))
        return connection

    def _connected(self, connecting: asyncio.Task[AioConnection]) -> None:
        self._connecting = None
        # Looking at the exception also tells asyncio that somebody has.
        if not connecting.cancelled() and connecting.exception() is None:
            self._connection = connecting.result()
            if self._closed:  # meanwhile
                self._connection.end(self._closed_error())

    def _closed_error(self) -> ConnectionClosed:
        return ConnectionClosed(_text.closed_by_client(self._server))
