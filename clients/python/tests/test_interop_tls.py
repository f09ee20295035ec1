"""The real server over TLS and unix sockets."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from certificates import VERSIONS, pair, server_context, trusting
from programs import needs_server, serving
from terminator import tls_before

import calculate
from calculate import DomainError, aio

pytestmark = [needs_server, pytest.mark.usefixtures("made_certificates")]


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version.name)
def terminated(request: pytest.FixtureRequest, made_certificates: None) -> Iterator[str]:
    """The server without TLS, behind something that ends it and wants client certificates."""
    with (
        serving() as server,
        tls_before(server, server_context(version=request.param, client_ca="ca")) as address,
    ):
        yield address


def test_the_service_behind_what_ends_tls(caller: Any, terminated: str) -> None:
    with caller.connect(terminated, tls=trusting(**pair("alice"))) as client:
        assert client.square(9.0) == 3.0
        assert client.cal(1e200) == math.inf
        with pytest.raises(DomainError):
            client.square(-4.0)


def test_threads_share_a_client(terminated: str) -> None:
    with (
        calculate.connect(terminated, tls=trusting(**pair("alice"))) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        assert list(pool.map(client.cal, map(float, range(2_000)))) == [float(n * n) for n in range(2_000)]


def test_tasks_share_a_client(terminated: str) -> None:
    async def run() -> list[float]:
        async with await aio.connect(terminated, tls=trusting(**pair("alice"))) as client:
            return await asyncio.gather(*(client.cal(float(n)) for n in range(1_000)))

    assert asyncio.run(run()) == [float(n * n) for n in range(1_000)]


def test_a_server_without_tls_is_recognised(caller: Any) -> None:
    with (
        serving() as server,
        pytest.raises(calculate.ConnectError, match="it may not speak TLS; for a plain Thrift port, connect without"),
    ):
        caller.connect(server, tls=trusting())
