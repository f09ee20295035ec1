"""What a blocking client calls through: the connection of the moment, replaced when it can no longer be used."""

from __future__ import annotations

import os
import threading
import weakref
from time import monotonic
from typing import Any

from . import _text
from ._connection import Connection, HeldCall
from ._dial import dial
from ._method import Method
from ._options import Options, check_timeout
from ._session import Unsent
from ._target import Target, UnixTarget
from .errors import ConnectionClosed, DeadlineExceeded

_ATTEMPTS_MAX = 3

Key = str | bytes | None
"""What a call is about, for a client that chooses an instance by it."""


class Channel:
    """Calls to one server. Threads share it."""

    def __init__(self, target: Target | UnixTarget, options: Options, *, connect: bool = True) -> None:
        """Connects, now or when the first call is made; raises ConnectError, or DeadlineExceeded after its time-out."""
        self._target = target
        self._options = options
        self._server = str(target)
        self._closed = False
        self._reset()
        self._connection: Connection | None = None
        if connect:
            self._connection = self._connect(options.timeout, monotonic() + options.timeout)
        _channels.add(self)

    def call(self, method: Method, args: Any, timeout: float | None, key: Key = None) -> Any:
        """The answer to one call, within ``timeout`` seconds or those of the options. The key chooses nothing."""
        if timeout is None:
            timeout = self._options.timeout
        else:
            check_timeout(timeout)
        return self.call_until(method, args, timeout, monotonic() + timeout)

    def call_until(self, method: Method, args: Any, timeout: float, deadline: float) -> Any:
        """As ``call``; a DeadlineExceeded quotes ``timeout``."""
        connection = self._connection
        attempts = 0
        while True:
            if connection is not None:
                attempts += 1
                try:
                    return connection.call(method, args, timeout, deadline)
                except Unsent:
                    if attempts == _ATTEMPTS_MAX:
                        raise connection.given_up() from None
            connection = self._replace(connection, timeout, deadline)

    def hold(self, method: Method, args: Any, timeout: float, deadline: float, until: float) -> HeldCall:
        """As ``call_until``, for a call that stays in flight when it is not answered by ``until``."""
        connection = self._connection
        attempts = 0
        while True:
            if connection is not None:
                attempts += 1
                try:
                    return connection.hold(method, args, until)
                except Unsent:
                    if attempts == _ATTEMPTS_MAX:
                        raise connection.given_up() from None
            connection = self._replace(connection, timeout, deadline)

    def retire(self) -> None:
        """Lets the connection end with the last of its calls in flight; the next call makes another."""
        connection = self._connection
        if connection is not None:
            connection.retire()

    def close(self) -> None:
        """Closes all connections; calls in flight fail with ConnectionClosed. May be repeated."""
        self._closed = True
        with self._live_mutex:
            live = list(self._live)
        for connection in live:
            connection.close(ConnectionClosed(_text.closed_by_client(self._server)))

    def forget(self) -> None:
        """In the child of a fork: lets go of the parent's connections and of locks that no thread will release."""
        for connection in list(self._live):
            connection.forget()
        self._connection = None
        self._reset()

    def _reset(self) -> None:
        # Held while connecting, so that a lost connection is replaced once and not by every caller.
        self._connecting = threading.Lock()
        # The connection of the moment and the retired ones that have calls in flight.
        self._live: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._live_mutex = threading.Lock()

    def _replace(self, used: Connection | None, timeout: float, deadline: float) -> Connection | None:
        if not self._connecting.acquire(timeout=max(0.0, deadline - monotonic())):
            raise DeadlineExceeded(_text.no_time_to_connect(self._server, timeout))
        try:
            if self._connection is used:
                self._connection = self._connect(timeout, deadline)
            return self._connection
        finally:
            self._connecting.release()

    def _connect(self, timeout: float, deadline: float) -> Connection:
        if self._closed:
            raise ConnectionClosed(_text.closed_by_client(self._server))
        connection = Connection(dial(self._target, self._options.tls, timeout, deadline), self._options, self._server)
        with self._live_mutex:
            self._live.add(connection)
        if self._closed:  # meanwhile: close() may not have seen it
            connection.close(ConnectionClosed(_text.closed_by_client(self._server)))
        return connection


def _after_fork_in_child() -> None:
    for channel in list(_channels):
        channel.forget()


_channels: weakref.WeakSet[Channel] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
