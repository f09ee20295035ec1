"""What a blocking client of several servers calls through: each attempt of a call on a connection to one of them."""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from collections.abc import Callable
from time import monotonic
from typing import Any

from . import _text
from ._attempts import Attempts
from ._balancing import Balancing
from ._channel import Key
from ._cluster import Cluster
from ._discovery import REGISTRY_PATIENCE_S, Discovery, ServiceTarget, make_cluster, options_for
from ._events import Counters
from ._hedging import call_hedged
from ._method import Method
from ._options import Options, check_timeout
from ._pool import Pool, with_jitter
from ._random import system_u64
from ._target import Target
from .errors import ConnectError, ConnectionClosed


class BalancedChannel:
    """Calls to the instances of one service. Threads share it."""

    def __init__(self, service: str, target: ServiceTarget, options: Options, balancing: Balancing) -> None:
        """Finds the instances; raises ConnectError when none is found within ``options.timeout``."""
        self._service = service
        self._target = target
        self._options = options_for(target, options)
        self._balancing = balancing
        self._hedges = balancing.hedge != "off"
        # In seconds, for a first attempt that another one may follow.
        self._cut_to = balancing.attempt_timeout if balancing.attempts > 1 else math.inf
        self._closed = False
        self._pools = _Pools(self._options, balancing)
        self._cluster: Cluster[Pool] = make_cluster(service, target, options, balancing, self._pools.make)
        self._discovery: Discovery[Pool] | None = None
        # Held while discovery begins anew, in the child of a fork.
        self._starting = threading.Lock()
        discovery = self._start()
        try:
            self._await_list(discovery)
        except BaseException:
            self.close()
            raise
        _channels.add(self)

    def call(self, method: Method, args: Any, timeout: float | None, key: Key = None) -> Any:
        """The answer to one call, within ``timeout`` seconds or those of the options."""
        if timeout is None:
            timeout = self._options.timeout
        else:
            check_timeout(timeout)
        if self._discovery is None:
            self._revive()
        if key is not None and isinstance(key, str):
            key = key.encode()
        if self._hedges:
            return self._try(Attempts(self._cluster, monotonic, method, timeout, key), method, args)
        # Nearly every call is over with its first attempt, which is therefore made without what the others need.
        cluster, begun, repeatable = self._cluster, monotonic(), method.idempotent
        member, others, token = cluster.begin(begun * 1000, key)
        cut = others and token and repeatable and self._cut_to < timeout
        limit = self._cut_to if cut else timeout
        pool = member.pool
        channel = pool.only or pool.next()
        channel.used_at = begun
        called = method if pool.version is None else method.of_version(pool.version)
        try:
            value = channel.call_until(called, args, limit, begun + limit)
        except BaseException as error:
            channel.used_at = monotonic()
            attempts = Attempts(cluster, monotonic, method, timeout, key)
            attempts.adopt(member, begun, limit)
            wait = attempts.again(error, closed=self._closed)
            if wait is None:
                raise
        else:
            now, connected = monotonic(), pool.connected_at
            channel.used_at = now
            # Connecting is not what the server is slow at.
            cluster.answered(member, now * 1000, (now - (connected if connected > begun else begun)) * 1000)
            return value
        time.sleep(wait)
        return self._try(attempts, method, args)

    def counters(self) -> Counters:
        """How often what has happened."""
        return self._cluster.snapshot()

    def close(self) -> None:
        """Closes all connections; calls in flight fail with ConnectionClosed. May be repeated."""
        self._closed = True
        discovery, self._discovery = self._discovery, None
        if discovery is not None:
            discovery.stop()
        self._pools.close()
        if discovery is not None:
            discovery.join()

    def forget(self) -> None:
        """In the child of a fork: lets go of the parent's connections and threads. (Channels do so by themselves.)"""
        self._starting = threading.Lock()
        self._pools.forget()
        self._cluster.forget()
        if self._discovery is not None:
            self._discovery.forget()
            self._discovery = None

    def _try(self, attempts: Attempts[Pool], method: Method, args: Any) -> Any:
        """The answer to an attempt, or to one that follows; raises what the last one ended with."""
        while True:
            attempt = attempts.begin()
            try:
                hedge_at = attempts.hedge_at(attempt) if self._hedges else None
                if hedge_at is None:
                    value = attempt.member.pool.call(method, args, attempt.timeout, attempt.deadline)
                else:
                    value = call_hedged(attempts, attempt, method, args, hedge_at)
            except BaseException as error:
                wait = attempts.again(error, closed=self._closed)
                if wait is None:
                    raise
            else:
                if not attempts.last.over:
                    attempts.answered(attempts.last)
                return value
            time.sleep(wait)

    def _start(self) -> Discovery[Pool]:
        discovery = Discovery(
            self._service, self._target, self._cluster, self._options, self._balancing, self._pools.sweep
        )
        weakref.finalize(self, discovery.stop)
        self._discovery = discovery
        discovery.start()
        return discovery

    def _revive(self) -> None:
        with self._starting:
            if self._closed:
                raise ConnectionClosed(_text.closed_by_client(self._service))
            if self._discovery is None:
                self._start()

    def _await_list(self, discovery: Discovery[Pool]) -> None:
        ready = threading.Event()
        self._cluster.when_ready(ready.set)
        timeout = self._options.timeout
        deadline = monotonic() + timeout
        if not ready.wait(min(REGISTRY_PATIENCE_S, timeout)):
            discovery.use_cache()
        if not ready.wait(max(0.0, deadline - monotonic())):
            raise ConnectError(discovery.why_nothing(timeout))


class _Pools:
    """All connections of a client, also those to instances that have left the list."""

    def __init__(self, options: Options, balancing: Balancing) -> None:
        self._options = options
        self._balancing = balancing
        self._closed = False
        self.forget()
        self._all: weakref.WeakSet[Pool] = weakref.WeakSet()

    def make(self, target: Target, on_connect: Callable[[], object]) -> Pool:
        balancing = self._balancing
        age = with_jitter(balancing.max_connection_age, system_u64)
        pool = Pool(target, self._options, balancing.connections_per_instance, age, on_connect)
        with self._mutex:
            self._all.add(pool)
            closed = self._closed
        if closed:
            pool.close()
        return pool

    def sweep(self) -> None:
        for pool in self._list():
            pool.sweep(monotonic(), self._balancing.idle_close)

    def close(self) -> None:
        with self._mutex:
            self._closed = True
        for pool in self._list():
            pool.close()

    def forget(self) -> None:
        self._mutex = threading.Lock()

    def _list(self) -> list[Pool]:
        with self._mutex:
            return list(self._all)


def _after_fork_in_child() -> None:
    for channel in list(_channels):
        channel.forget()


_channels: weakref.WeakSet[BalancedChannel] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
