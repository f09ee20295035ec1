"""A blocking client's connections to one instance."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from time import monotonic
from typing import Any

from . import _text
from ._channel import Channel
from ._connection import Connection, HeldCall
from ._method import Method
from ._options import Options
from ._random import NextU64, below
from ._target import Target
from .errors import ConnectError


class PooledChannel(Channel):
    """A channel that connects when it is called, and whose connection does not live for ever. Times are in seconds."""

    def __init__(self, target: Target, options: Options, on_connect: Callable[[], object]) -> None:
        super().__init__(target, options, connect=False)
        self._on_connect = on_connect
        self.connected_at = 0.0
        self.used_at = 0.0

    def _connect(self, timeout: float, deadline: float) -> Connection:
        try:
            connection = super()._connect(timeout, deadline)
        except ValueError as error:  # of an address that nobody typed
            raise ConnectError(_text.cannot_connect(self._server, error)) from error
        self.connected_at = monotonic()
        self._on_connect()
        return connection


class Pool:
    """``size`` connections, which calls take in turn."""

    def __init__(
        self, target: Target, options: Options, size: int, age_max: float, on_connect: Callable[[], object]
    ) -> None:
        self._channels = [PooledChannel(target, options, self._connected) for _ in range(size)]
        # The one connection, where there is just one.
        self.only = self._channels[0] if size == 1 else None
        self._turn = itertools.count()
        self._age_max = age_max
        self._on_connect = on_connect
        self.connected_at = 0.0
        self.version: int | None = None

    def next(self) -> PooledChannel:
        """Whose turn it is. Who does not go on with ``call`` or ``hold`` tells it when it is used."""
        return self.only or self._channels[next(self._turn) % len(self._channels)]

    def call(self, method: Method, args: Any, timeout: float, deadline: float) -> Any:
        """As Channel.call_until."""
        channel = self.next()
        channel.used_at = monotonic()
        try:
            return channel.call_until(method.of_version(self.version), args, timeout, deadline)
        finally:
            channel.used_at = monotonic()

    def hold(self, method: Method, args: Any, timeout: float, deadline: float, until: float) -> HeldCall:
        """As Channel.hold."""
        channel = self.next()
        channel.used_at = deadline
        return channel.hold(method.of_version(self.version), args, timeout, deadline, until)

    def sweep(self, now: float, idle_max: float) -> None:
        """Lets go of connections that are idle or old. ``now`` is of time.monotonic()."""
        for channel in self._channels:
            if now - channel.connected_at > self._age_max or now - channel.used_at > idle_max:
                channel.retire()

    def retire(self) -> None:
        for channel in self._channels:
            channel.retire()

    def close(self) -> None:
        """Calls in flight fail with ConnectionClosed."""
        for channel in self._channels:
            channel.close()

    def _connected(self) -> None:
        self.connected_at = monotonic()
        self._on_connect()


def with_jitter(seconds: float, next_u64: NextU64) -> float:
    """Give or take a tenth, so that what began together does not end together."""
    return seconds * (900 + below(next_u64, 201)) / 1000
