from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any

import certificates
import pytest
from fakes import PATIENCE_S

import calculate
from calculate import aio


class Caller:
    """The blocking and the asyncio client behind one face, so that a behaviour is tested once for both."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._loop = asyncio.new_event_loop() if kind == "aio" else None

    def connect(self, server: str, **options: Any) -> Any:
        if self._loop is None:
            return calculate.connect(server, **options)
        return _Blocking(self._loop, self._loop.run_until_complete(aio.connect(server, **options)))

    def turn(self) -> None:
        """Lets the event loop do what is waiting to be done."""
        if self._loop is not None:
            self._loop.run_until_complete(asyncio.sleep(0))

    def eventually(self, condition: Callable[[], object]) -> None:
        """Returns once the condition holds."""
        end = monotonic() + PATIENCE_S
        while not condition():
            assert monotonic() < end, "it never came true"
            self.turn()
            sleep(0.005)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.close()


class _Blocking:
    def __init__(self, loop: asyncio.AbstractEventLoop, client: aio.AsyncClient) -> None:
        self._loop = loop
        self._client = client

    def square(self, value: float, **options: Any) -> float:
        return self._loop.run_until_complete(self._client.square(value, **options))

    def cal(self, value: float, **options: Any) -> float:
        return self._loop.run_until_complete(self._client.cal(value, **options))

    def counters(self) -> calculate.Counters | None:
        return self._client.counters()

    def call(self, method: Any, args: Any, **options: Any) -> Any:
        return self._loop.run_until_complete(self._client.call(method, args, **options))

    def close(self) -> None:
        self._loop.run_until_complete(self._client.close())

    def __enter__(self) -> _Blocking:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture(scope="session")
def made_certificates() -> None:
    """That the certificates of target/certs are there."""
    certificates.make()


@pytest.fixture(params=["blocking", "aio"])
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    caller = Caller(request.param)
    yield caller
    caller.close()
