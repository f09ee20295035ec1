"""What an asyncio client calls through: the connection of the moment, replaced when it can no longer be used."""

from __future__ import annotations

import asyncio
from typing import Any

from . import _text
from ._aio_connection import AioConnection
from ._method import Method
from ._options import Options, check_timeout
from ._session import Unsent
from ._target import Target
from .errors import ConnectError, ConnectionClosed, DeadlineExceeded

_ATTEMPTS_MAX = 3
_NEXT_ADDRESS_S = 0.25  # RFC 8305: when to try a name's next address beside the first


class AioChannel:
    """Calls to one server. The tasks of one event loop share it."""

    def __init__(self, target: Target, options: Options) -> None:
        self._target = target
        self._options = options
        self._server = str(target)
        self._loop = asyncio.get_running_loop()
        self._time = self._loop.time
        self._closed = False
        self._connection: AioConnection | None = None
        # The connection of the moment and the retired ones that have calls in flight.
        self._live: set[AioConnection] = set()
        # Held while connecting, so that a lost connection is replaced once and not by every caller.
        self._connecting = asyncio.Lock()

    async def connect(self) -> None:
        """Makes the first connection, within the time-out of the options."""
        timeout = self._options.timeout
        await self._replace(None, timeout, self._time() + timeout)

    async def call(self, method: Method, args: Any, timeout: float | None) -> Any:
        """The answer to one call, within ``timeout`` seconds or those of the options."""
        if timeout is None:
            timeout = self._options.timeout
        else:
            check_timeout(timeout)
        deadline = self._time() + timeout
        connection = self._connection
        for _ in range(_ATTEMPTS_MAX):
            if connection is None or not connection.usable:
                connection = await self._replace(connection, timeout, deadline)
                if not connection.usable:  # lost again before this task went on
                    continue
            call = connection.start(method, args, timeout, deadline)
            try:
                return await call.answer
            except Unsent:
                pass
            except BaseException:  # cancelled, or any error: then the call is over already
                connection.abandon(call)
                raise
        raise ConnectionClosed(_text.closed_at_once(self._server))

    async def close(self) -> None:
        """Closes all connections; calls in flight fail with ConnectionClosed. May be repeated."""
        self._closed = True
        live = list(self._live)
        for connection in live:
            connection.end(self._closed_error())
        for connection in live:
            await connection.lost

    async def _replace(self, used: AioConnection | None, timeout: float, deadline: float) -> AioConnection:
        try:
            return await asyncio.wait_for(self._replace_once(used), deadline - self._time())
        except (TimeoutError, asyncio.TimeoutError) as error:  # two classes before Python 3.11
            if isinstance(error, OSError) and error.errno is not None:  # the system's ETIMEDOUT, not ours
                raise ConnectError(_text.cannot_connect(self._server, error)) from error
            raise DeadlineExceeded(_text.no_time_to_connect(self._server, timeout)) from None
        except OSError as error:
            raise ConnectError(_text.cannot_connect(self._server, error)) from error

    async def _replace_once(self, used: AioConnection | None) -> AioConnection:
        async with self._connecting:
            if self._closed:
                raise self._closed_error()
            if self._connection is None or self._connection is used:
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> AioConnection:
        _, connection = await self._loop.create_connection(
            lambda: AioConnection(self._loop, self._options, self._server),
            *self._target,
            happy_eyeballs_delay=_NEXT_ADDRESS_S,
        )
        self._live.add(connection)
        connection.lost.add_done_callback(lambda _: self._live.discard(connection))
        if self._closed:  # meanwhile
            connection.end(self._closed_error())
        return connection

    def _closed_error(self) -> ConnectionClosed:
        return ConnectionClosed(_text.closed_by_client(self._server))
