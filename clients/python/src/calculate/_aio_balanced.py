"""What an asyncio client of several servers calls through; ``_balanced`` for a running event loop.

Instances are found, and probed, on threads; calls and connections are the loop's.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import weakref
from collections.abc import Callable, Coroutine
from dataclasses import replace
from time import monotonic
from typing import Any

from . import _text
from ._aio_pool import AioPool
from ._attempts import Attempt, Attempts
from ._balancing import Balancing
from ._channel import Key
from ._cluster import Cluster
from ._discovery import REGISTRY_PATIENCE_S, Discovery, ServiceTarget, make_cluster, options_for
from ._events import Counters, Event
from ._method import Method
from ._options import Options, check_timeout
from ._pool import with_jitter
from ._random import system_u64
from ._target import Target
from .errors import CalculateError, ConnectError, ConnectionClosed


class AioBalancedChannel:
    """Calls to the instances of one service. The tasks of one event loop share it."""

    def __init__(self, service: str, target: ServiceTarget, options: Options, balancing: Balancing) -> None:
        self._service = service
        self._options = options_for(target, options)
        self._hedges = balancing.hedge != "off"
        # In seconds, for a first attempt that another one may follow.
        self._cut_to = balancing.attempt_timeout if balancing.attempts > 1 else math.inf
        self._loop = asyncio.get_running_loop()
        self._closed = False
        balancing = replace(balancing, on_event=_on_loop(self._loop, balancing.on_event))
        self._pools = _AioPools(self._loop, self._options, balancing)
        self._cluster: Cluster[AioPool] = make_cluster(service, target, options, balancing, self._pools.make)
        self._discovery = Discovery(service, target, self._cluster, self._options, balancing, self._pools.sweep)
        weakref.finalize(self, self._discovery.stop)
        # Attempts that go on, though their call is over.
        self._losers: set[asyncio.Task[Any]] = set()

    async def connect(self) -> None:
        """Finds the instances; raises ConnectError when none is found within the time-out of the options."""
        try:
            self._discovery.start()
            await self._await_list()
        except BaseException:
            await self.close()
            raise

    async def call(self, method: Method, args: Any, timeout: float | None, key: Key = None) -> Any:
        """The answer to one call, within ``timeout`` seconds or those of the options."""
        if timeout is None:
            timeout = self._options.timeout
        else:
            check_timeout(timeout)
        if self._closed:
            raise ConnectionClosed(_text.closed_by_client(self._service))
        if key is not None and isinstance(key, str):
            key = key.encode()
        if self._hedges:
            return await self._try(Attempts(self._cluster, monotonic, method, timeout, key), method, args)
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
            value = await channel.call_until(called, args, limit, begun + limit)
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
        await asyncio.sleep(wait)
        return await self._try(attempts, method, args)

    def counters(self) -> Counters:
        """How often what has happened."""
        return self._cluster.snapshot()

    async def close(self) -> None:
        """Closes all connections; calls in flight fail with ConnectionClosed. May be repeated."""
        self._closed = True
        self._discovery.stop()
        await self._pools.close()
        if self._losers:
            await asyncio.wait(self._losers)
        await self._loop.run_in_executor(None, self._discovery.join)

    async def _try(self, attempts: Attempts[AioPool], method: Method, args: Any) -> Any:
        """The answer to an attempt, or to one that follows; raises what the last one ended with."""
        while True:
            if self._closed:
                raise ConnectionClosed(_text.closed_by_client(self._service))
            attempt = attempts.begin()
            try:
                hedge_at = attempts.hedge_at(attempt) if self._hedges else None
                if hedge_at is None:
                    value = await attempt.member.pool.call(method, args, attempt.timeout, attempt.deadline)
                else:
                    value = await self._call_hedged(attempts, attempt, method, args, hedge_at)
            except BaseException as error:
                wait = attempts.again(error, closed=self._closed)
                if wait is None:
                    raise
            else:
                if not attempts.last.over:
                    attempts.answered(attempts.last)
                return value
            await asyncio.sleep(wait)

    async def _call_hedged(
        self, attempts: Attempts[AioPool], first: Attempt[AioPool], method: Method, args: Any, hedge_at: float
    ) -> Any:
        """The answer to the first attempt, or to a second one made at ``hedge_at``; raises as a call does."""
        tasks = {self._attempt(attempts, first, method, args)}
        try:
            done, _ = await asyncio.wait(tasks, timeout=hedge_at - monotonic())
            second = None if done else attempts.hedge(first)
            if second is not None:
                tasks.add(self._attempt(attempts, second, method, args))
            while True:
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    attempt, value, error = task.result()
                    if error is None or attempt.outcome == "answered" or not tasks:
                        attempts.last = attempt
                        if error is not None:
                            raise error
                        return value
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise

    def _attempt(self, attempts: Attempts[AioPool], attempt: Attempt[AioPool], method: Method, args: Any) -> _Task:
        """A task that ends with the attempt's value or error and accounts for it, whether somebody waits or not."""

        async def run() -> _Result:
            try:
                value = await attempt.member.pool.call(method, args, attempt.timeout, attempt.deadline)
            except CalculateError as error:
                attempts.ended(attempt, error)
                return attempt, None, error
            except Exception as error:
                attempts.dropped(attempt)
                return attempt, None, error
            except BaseException:
                attempts.dropped(attempt)
                raise
            attempts.answered(attempt)
            return attempt, value, None

        coroutine: Coroutine[Any, Any, _Result] = run()
        task = self._loop.create_task(coroutine)
        self._losers.add(task)
        task.add_done_callback(self._losers.discard)
        return task

    async def _await_list(self) -> None:
        ready = asyncio.Event()
        self._cluster.when_ready(lambda: self._loop.call_soon_threadsafe(ready.set))
        timeout = self._options.timeout
        deadline = monotonic() + timeout
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(ready.wait(), min(REGISTRY_PATIENCE_S, timeout))
        if not ready.is_set():
            await self._loop.run_in_executor(None, self._discovery.use_cache)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ready.wait(), deadline - monotonic())
        if not ready.is_set():
            raise ConnectError(self._discovery.why_nothing(timeout))


class _AioPools:
    """All connections of a client, also those to instances that have left the list."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: Options, balancing: Balancing) -> None:
        self._loop = loop
        self._options = options
        self._balancing = balancing
        self._mutex = threading.Lock()
        self._closed = False
        self._all: weakref.WeakSet[AioPool] = weakref.WeakSet()

    def make(self, target: Target, on_connect: Callable[[], object]) -> AioPool:
        balancing = self._balancing
        age = with_jitter(balancing.max_connection_age, system_u64)
        pool = AioPool(self._loop, target, self._options, balancing.connections_per_instance, age, on_connect)
        with self._mutex:
            self._all.add(pool)
            if self._closed:
                pool.refuse()
        return pool

    def sweep(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._sweep)

    async def close(self) -> None:
        with self._mutex:
            self._closed = True
        for pool in self._list():
            await pool.close()

    def _sweep(self) -> None:
        for pool in self._list():
            pool.sweep(monotonic(), self._balancing.idle_close)

    def _list(self) -> list[AioPool]:
        with self._mutex:
            return list(self._all)


_Result = tuple[Attempt[AioPool], Any, BaseException | None]
_Task = asyncio.Task[_Result]


def _on_loop(
    loop: asyncio.AbstractEventLoop, on_event: Callable[[Event], object] | None
) -> Callable[[Event], object] | None:
    if on_event is None:
        return None

    def tell(event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(on_event, event)

    return tell
