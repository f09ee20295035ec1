"""The real server, written in Rust (see programs.py)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from programs import needs_server, serving

import calculate
from calculate import DomainError, aio

FORMATS = [(protocol, framing) for protocol in ("binary", "compact") for framing in ("framed", "unframed")]

pytestmark = needs_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.mark.parametrize(("protocol", "framing"), FORMATS)
def test_the_service_as_the_idl_says(caller: Any, server: str, protocol: str, framing: str) -> None:
    with caller.connect(server, protocol=protocol, framing=framing) as client:
        assert client.square(9.0) == 3.0
        assert client.square(2.0) == math.sqrt(2.0)
        assert client.cal(3.0) == 9.0
        assert client.cal(1e200) == math.inf
        assert client.square(math.inf) == math.inf
        assert math.copysign(1.0, client.square(-0.0)) == -1.0
        assert math.isnan(client.square(math.nan))
        for value in (-4.0, -math.inf):
            with pytest.raises(DomainError) as caught:
                client.square(value)
            assert caught.value.value == value


@pytest.mark.parametrize(("protocol", "framing"), FORMATS)
def test_threads_share_a_client(server: str, protocol: Any, framing: Any) -> None:
    with calculate.connect(server, protocol=protocol, framing=framing) as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client.cal, map(float, range(2_000)))) == [float(n * n) for n in range(2_000)]


@pytest.mark.parametrize(("protocol", "framing"), FORMATS)
def test_tasks_share_a_client(server: str, protocol: Any, framing: Any) -> None:
    async def run() -> list[float]:
        async with await aio.connect(server, protocol=protocol, framing=framing) as client:
            return await asyncio.gather(*(client.cal(float(n)) for n in range(2_000)))

    assert asyncio.run(run()) == [float(n * n) for n in range(2_000)]
