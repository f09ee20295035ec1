"""When a connection takes no more calls, and that the calls on it are still answered."""

from __future__ import annotations

import asyncio
import threading

import pytest
from fakes import FakeServer, Peer, answer, echo, frame, reply
from test_golden import Kept

import calculate
from calculate import DeadlineExceeded, aio
from calculate._client import SQUARE, square_args
from calculate._options import Options
from calculate._session import ABANDONED_MAX, Session


def make_session() -> Session[Kept]:
    return Session(Options(), "server:1")


def start(session: Session[Kept], value: float = 1.0) -> Kept:
    call = Kept(SQUARE)
    session.start(call, square_args(value))
    session.take_unsent()
    return call


def test_a_call_given_up_in_silence_retires() -> None:
    session = make_session()
    assert session.abandon(start(session))
    assert not session.usable
    assert session.finished


def test_a_call_given_up_while_answers_come_does_not_retire() -> None:
    session = make_session()
    slow, quick = start(session), start(session)
    session.receive(frame(reply("Square", quick.seqid, 2.0)))
    assert session.abandon(slow)
    assert session.usable
    session.receive(frame(reply("Square", slow.seqid, 1.0)))
    assert session.usable
    assert slow.value is None


def test_a_retired_session_finishes_with_its_last_call() -> None:
    session = make_session()
    waiting = start(session)
    assert session.abandon(start(session))
    assert not session.usable
    assert not session.finished
    session.receive(frame(reply("Square", waiting.seqid, 5.0)))
    assert waiting.value.value == 5.0
    assert session.finished


def test_abandoned_ids_are_kept_up_to_the_limit_and_one_more_retires() -> None:
    session = make_session()
    beat = start(session)
    for _ in range(ABANDONED_MAX):
        call = start(session)
        session.receive(frame(reply("Square", beat.seqid, 0.0)))
        beat = start(session)
        session.abandon(call)
    assert session.usable
    call = start(session)
    session.receive(frame(reply("Square", beat.seqid, 0.0)))
    session.abandon(call)
    assert not session.usable


def test_a_call_given_up_before_it_was_sent_is_not_sent() -> None:
    session = make_session()
    call = Kept(SQUARE)
    session.start(call, square_args(1.0))
    session.abandon(call)
    assert not session.unsent
    session.receive(frame(reply("Square", call.seqid, 1.0)))
    assert session.ended is not None


def test_an_id_in_use_is_skipped_when_the_ids_wrap() -> None:
    session = make_session()
    first = start(session)
    session._last_seqid = 2**31 - 2
    assert [start(session).seqid for _ in range(3)] == [2**31 - 1, 2, 3]
    assert first.seqid == 1


def test_calls_on_a_retired_connection_are_answered_while_new_ones_go_to_another() -> None:
    second_came = threading.Event()

    def old(peer: Peer) -> None:
        first, _given_up = peer.read_calls(2)
        assert second_came.wait(20)
        peer.send(answer(first))
        peer.wait_closed()

    def new(peer: Peer) -> None:
        call = peer.read_call()
        second_came.set()
        peer.send(answer(call))
        echo(peer)

    async def run(address: str) -> None:
        async with await aio.connect(address) as client:
            first = asyncio.ensure_future(client.square(1.0))
            await asyncio.sleep(0)
            with pytest.raises(DeadlineExceeded):
                await client.square(2.0, timeout=0.05)
            assert await client.square(3.0) == 3.0
            assert await first == 1.0

    with FakeServer(old, new) as server:
        asyncio.run(run(server.address))
        assert server.connections == 2


def test_threads_on_a_retired_connection_are_answered_while_new_calls_go_to_another() -> None:
    first_read, second_came = threading.Event(), threading.Event()

    def old(peer: Peer) -> None:
        first = peer.read_call()
        first_read.set()
        peer.read_call()
        assert second_came.wait(20)
        peer.send(answer(first))
        peer.wait_closed()

    def new(peer: Peer) -> None:
        call = peer.read_call()
        second_came.set()
        peer.send(answer(call))
        echo(peer)

    with FakeServer(old, new) as server, calculate.connect(server.address) as client:
        got: list[float] = []
        thread = threading.Thread(target=lambda: got.append(client.square(1.0)))
        thread.start()
        assert first_read.wait(20)
        with pytest.raises(DeadlineExceeded):
            client.square(2.0, timeout=0.05)
        assert client.square(3.0) == 3.0
        thread.join(20)
        assert got == [1.0]
