"""A cancelled asynchronous call is given up; nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fakes import FakeServer, Peer, Script, answer, echo

from calculate import DeadlineExceeded, aio


def run(body: Callable[[aio.AsyncClient], Awaitable[Any]], *scripts: Script) -> int:
    """Runs ``body`` with a client of a server of these scripts; says how many connections it took."""

    async def main(address: str) -> None:
        async with await aio.connect(address) as client:
            await body(client)

    with FakeServer(*scripts) as server:
        asyncio.run(main(server.address))
        return server.connections


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_the_late_answer_of_a_cancelled_call_is_dropped() -> None:
    def script(peer: Peer) -> None:
        beat, cancelled, other = peer.read_calls(3)
        peer.send(answer(beat))
        fourth = peer.read_call()
        peer.send(answer(cancelled), answer(other), answer(fourth))
        echo(peer)

    async def body(client: aio.AsyncClient) -> None:
        beat, cancelled, other = [asyncio.ensure_future(client.square(float(n))) for n in range(3)]
        assert await beat == 0.0
        cancelled.cancel()
        assert await client.square(4.0) == 4.0
        assert await other == 2.0
        assert cancelled.cancelled()
        assert await client.square(5.0) == 5.0

    assert run(body, script) == 1


def test_a_call_cancelled_in_the_turn_it_was_made_in_harms_no_other() -> None:
    async def body(client: aio.AsyncClient) -> None:
        task, other = asyncio.ensure_future(client.square(1.0)), asyncio.ensure_future(client.square(2.0))
        asyncio.get_running_loop().call_soon(task.cancel)
        await turns(1)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await other == 2.0

    run(body, echo)


def test_a_cancelled_caller_does_not_cancel_the_connecting_of_others() -> None:
    def once(peer: Peer) -> None:
        peer.send(answer(peer.read_call()))

    async def body(client: aio.AsyncClient) -> None:
        await client.square(1.0)
        channel: Any = client._channel
        await channel._live.copy().pop().lost
        first, second = asyncio.ensure_future(client.square(2.0)), asyncio.ensure_future(client.square(3.0))
        await turns(1)
        first.cancel()
        assert await second == 3.0
        assert first.cancelled()

    assert run(body, once, echo) == 2


def test_a_time_out_around_the_call_works_like_one_given_to_it() -> None:
    def silent(peer: Peer) -> None:
        peer.wait_closed()

    async def body(client: aio.AsyncClient) -> None:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await asyncio.wait_for(client.square(1.0), 0.05)
        assert await client.square(2.0) == 2.0

    assert run(body, silent, echo) == 2


def test_tasks_with_different_time_outs_end_by_their_own() -> None:
    def script(peer: Peer) -> None:
        calls = {call.value: call for call in peer.read_calls(4)}
        peer.send(answer(calls[0.0]))
        echo(peer)

    async def body(client: aio.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        ended: dict[float, float] = {}

        async def call(timeout: float) -> None:
            started = loop.time()
            with pytest.raises(DeadlineExceeded):
                await client.square(timeout, timeout=timeout)
            ended[timeout] = loop.time() - started

        first = asyncio.ensure_future(client.square(0.0))
        await asyncio.gather(*(call(timeout) for timeout in (0.3, 0.1, 0.2)))
        assert await first == 0.0
        assert list(ended) == [0.1, 0.2, 0.3]
        for timeout, taken in ended.items():
            assert timeout <= taken < timeout + 0.09

    run(body, script)


def test_many_cancelled_calls_among_others_never_mix_answers_up() -> None:
    async def body(client: aio.AsyncClient) -> None:
        async def work(worker: int) -> None:
            for n in range(50):
                value = float(worker * 1000 + n)
                task = asyncio.ensure_future(client.square(value))
                if (worker + n) % 3 == 0:
                    await turns(n % 5)
                    task.cancel()
                try:
                    assert await task == value
                except asyncio.CancelledError:
                    assert (worker + n) % 3 == 0

        await asyncio.gather(*(work(worker) for worker in range(20)))

    run(body, echo)
