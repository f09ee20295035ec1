"""An asyncio client's connections to one instance."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from time import monotonic
from typing import Any

from . import _text
from ._aio_channel import AioChannel
from ._aio_connection import AioConnection
from ._method import Method
from ._options import Options
from ._target import Target
from .errors import ConnectError, ConnectionClosed


class AioPooledChannel(AioChannel):
    """A channel whose connection does not live for ever. Times are in seconds."""

    def __init__(self, target: Target, options: Options, on_connect: Callable[[], object]) -> None:
        super().__init__(target, options)
        self._on_connect = on_connect
        self.connected_at = 0.0
        self.used_at = 0.0

    async def _connect(self, timeout: float) -> AioConnection:
        try:
            connection = await super()._connect(timeout)
        except ValueError as error:  # of an address that nobody typed
            raise ConnectError(_text.cannot_connect(self._server, error)) from error
        self.connected_at = monotonic()
        self._on_connect()
        return connection


class AioPool:
    """``size`` connections, which calls take in turn. Of its event loop, but for ``retire``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        target: Target,
        options: Options,
        size: int,
        age_max: float,
        on_connect: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._target = target
        self._options = options
        self._age_max = age_max
        self._on_connect = on_connect
        self._channels: list[AioPooledChannel | None] = [None] * size
        # The one connection, where there is just one, once it is there.
        self.only: AioPooledChannel | None = None
        self._turn = itertools.count()
        self._closed = False
        self.connected_at = 0.0
        self.version: int | None = None

    def next(self) -> AioPooledChannel:
        """As Pool.next."""
        index = next(self._turn) % len(self._channels)
        channel = self._channels[index]
        if channel is None:
            if self._closed:
                raise ConnectionClosed(_text.closed_by_client(str(self._target)))
            channel = self._channels[index] = AioPooledChannel(self._target, self._options, self._connected)
            if len(self._channels) == 1:
                self.only = channel
        return channel

    async def call(self, method: Method, args: Any, timeout: float, deadline: float) -> Any:
        """As AioChannel.call_until."""
        channel = self.next()
        channel.used_at = monotonic()
        try:
            return await channel.call_until(method.of_version(self.version), args, timeout, deadline)
        finally:
            channel.used_at = monotonic()

    def sweep(self, now: float, idle_max: float) -> None:
        """Lets go of connections that are idle or old. ``now`` is of time.monotonic()."""
        for channel in self._made():
            if now - channel.connected_at > self._age_max or now - channel.used_at > idle_max:
                channel.retire()

    def retire(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._retire)

    def refuse(self) -> None:
        """Makes no connection any more."""
        self._closed = True

    async def close(self) -> None:
        """Calls in flight fail with ConnectionClosed, and so do later ones."""
        self.refuse()
        for channel in self._made():
            await channel.close()

    def _connected(self) -> None:
        self.connected_at = monotonic()
        self._on_connect()

    def _retire(self) -> None:
        for channel in self._made():
            channel.retire()

    def _made(self) -> list[AioPooledChannel]:
        return [channel for channel in self._channels if channel is not None]
