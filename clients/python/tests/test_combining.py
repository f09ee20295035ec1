"""Calls that are made together leave together, and answers may come in any order."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakes import PATIENCE_S, FakeServer, Peer, answer, echo

import calculate
from calculate import aio
from calculate._aio_connection import AioConnection


def reverse(peer: Peer) -> None:
    """Answers 64 calls, the last first."""
    peer.send(*(answer(call) for call in reversed(peer.read_calls(64))))
    peer.wait_closed()


def test_tasks_that_call_in_one_turn_of_the_loop_send_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    send = AioConnection._send

    def counting(self: AioConnection) -> None:
        sent.append(len(self.session.unsent))
        send(self)

    monkeypatch.setattr(AioConnection, "_send", counting)

    async def run(address: str) -> list[float]:
        async with await aio.connect(address) as client:
            return await asyncio.gather(*(client.square(float(n)) for n in range(64)))

    with FakeServer(reverse) as server:
        assert asyncio.run(run(server.address)) == [float(n) for n in range(64)]
    assert sent == [64]


def test_threads_that_call_while_one_sends_are_sent_in_one_write() -> None:
    class SlowSocket:
        """A socket whose first send waits until seven more calls are queued."""

        def __init__(self, sock: Any) -> None:
            self._sock = sock
            self.sends: list[int] = []

        def send(self, data: bytes) -> int:
            self.sends.append(data.count(b"Square"))
            if len(self.sends) == 1:
                while len(connection._session.unsent) < 7:
                    threading.Event().wait(0.001)
            sent: int = self._sock.send(data)
            return sent

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sock, name)

    with FakeServer(echo) as server, calculate.connect(server.address) as client, ThreadPoolExecutor(8) as pool:
        channel: Any = client._channel
        connection: Any = channel._connection
        connection._sock = slow = SlowSocket(connection._sock)
        calls = [pool.submit(client.square, float(n)) for n in range(8)]
        assert [call.result(PATIENCE_S) for call in calls] == [float(n) for n in range(8)]
    assert slow.sends == [1, 7]


def test_answers_out_of_order_reach_their_threads() -> None:
    with FakeServer(reverse) as server, calculate.connect(server.address) as client, ThreadPoolExecutor(64) as pool:
        assert list(pool.map(client.square, map(float, range(64)))) == [float(n) for n in range(64)]


def test_calls_wait_while_the_server_does_not_read_and_go_on_when_it_does() -> None:
    # 3,000 calls of 4 kB are more than the socket's and asyncio's buffers take.
    from test_other_idl import ECHO, EchoArgs, echo_text

    go_on = threading.Event()

    def script(peer: Peer) -> None:
        assert go_on.wait(PATIENCE_S)
        echo_text(peer)

    async def run(address: str) -> None:
        async with await aio.connect(address, timeout=PATIENCE_S) as client:
            channel: Any = client._channel
            text = "x" * 4_000
            calls = [asyncio.ensure_future(client.call(ECHO, EchoArgs(f"{n} {text}"))) for n in range(3_000)]
            connection: Any = channel._connection
            await asyncio.sleep(0)
            while not connection._paused:
                await asyncio.sleep(0)
            held = asyncio.ensure_future(client.call(ECHO, EchoArgs("held back")))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert connection.session.unsent
            go_on.set()
            assert await held == "held back"
            assert [(await call).split()[0] for call in calls] == [str(n) for n in range(3_000)]

    with FakeServer(script) as server:
        asyncio.run(run(server.address))
