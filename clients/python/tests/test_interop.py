"""The real server, written in Rust. $CALCULATE_PROGRAM names its program; CALCULATE_SKIP_INTEROP=1 leaves this out."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes import PATIENCE_S

import calculate
from calculate import DomainError, aio

BUILT = Path(__file__).resolve().parents[3] / "target" / "release" / "calculate"
FORMATS = [(protocol, framing) for protocol in ("binary", "compact") for framing in ("framed", "unframed")]

pytestmark = pytest.mark.skipif(
    os.environ.get("CALCULATE_SKIP_INTEROP") == "1", reason="CALCULATE_SKIP_INTEROP=1 is set"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    program = Path(os.environ.get("CALCULATE_PROGRAM", BUILT))
    if not program.exists():
        pytest.fail(
            f"no server at {program}; build it with 'cargo build --release', name another in CALCULATE_PROGRAM, "
            "or leave these tests out with CALCULATE_SKIP_INTEROP=1"
        )
    process = subprocess.Popen(
        [program, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on "), f"the server's first line is {line!r}"
        yield line.removeprefix("listening on ").strip()
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.stdout.close()


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
