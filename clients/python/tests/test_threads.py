"""Threads that share a client each get their own answers."""

from __future__ import annotations

import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes import PATIENCE_S, FakeServer, Peer, answer, decode_call, echo

import calculate
from calculate import CalculateError, DeadlineExceeded


def backwards(peer: Peer) -> None:
    """Answers all that has come, the last first, in writes that end anywhere."""
    dice = random.Random(7)
    content = b""
    while data := peer.sock.recv(65536):
        content += data
        calls = []
        while len(content) >= 4 and len(content) >= (end := 4 + int.from_bytes(content[:4], "big")):
            calls.append(decode_call(content[4:end]))
            content = content[end:]
        answers = b"".join(answer(call) for call in reversed(calls))
        cut = dice.randrange(len(answers) + 1)
        peer.send(answers[:cut])
        peer.send(answers[cut:])


@pytest.mark.parametrize("script", [echo, backwards])
def test_every_call_of_every_thread_gets_its_own_answer(script: object) -> None:
    threads, calls = 8, 300

    def work(thread: int) -> None:
        for call in range(calls):
            value = float(thread * calls + call)
            assert client.square(value, timeout=PATIENCE_S) == value

    with (
        FakeServer(script) as server,  # type: ignore[arg-type]
        calculate.connect(server.address) as client,
        ThreadPoolExecutor(threads) as pool,
    ):
        for done in [pool.submit(work, thread) for thread in range(threads)]:
            done.result(2 * PATIENCE_S)
        assert server.connections == 1


def test_threads_with_time_outs_never_get_another_calls_answer() -> None:
    # Answers half of the calls, late and out of order; the others run into their short time-outs.
    def script(peer: Peer) -> None:
        dice = random.Random(3)
        kept = []
        while True:
            kept.append(peer.read_call())
            if dice.random() < 0.5:
                dice.shuffle(kept)
                half = len(kept) // 2 + 1
                peer.send(*(answer(call) for call in kept[:half]))
                kept = kept[half:]

    late: list[float] = []

    def work(thread: int) -> None:
        for call in range(100):
            value = float(thread * 1000 + call)
            try:
                assert client.square(value, timeout=0.02) == value
            except DeadlineExceeded:
                late.append(value)

    with (
        FakeServer(script) as server,
        calculate.connect(server.address) as client,
        ThreadPoolExecutor(6) as pool,
    ):
        for done in [pool.submit(work, thread) for thread in range(6)]:
            done.result(3 * PATIENCE_S)
    assert late


def test_a_reader_whose_answer_has_come_hands_the_reading_over() -> None:
    released = threading.Event()

    def script(peer: Peer) -> None:
        first, second = peer.read_calls(2)
        peer.send(answer(first))
        assert released.wait(PATIENCE_S)
        peer.send(answer(second))
        peer.wait_closed()

    with FakeServer(script) as server, calculate.connect(server.address) as client, ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(client.square, 1.0), pool.submit(client.square, 2.0)]
        threading.Event().wait(0)
        first = next(iter(_done(calls)))
        assert first.result(PATIENCE_S) in (1.0, 2.0)
        released.set()
        assert {call.result(PATIENCE_S) for call in calls} == {1.0, 2.0}


def test_an_interrupted_call_leaves_the_client_in_order() -> None:
    def script(peer: Peer) -> None:
        peer.read_call()
        os.kill(os.getpid(), signal.SIGINT)
        peer.wait_closed()

    with FakeServer(script, echo) as server, calculate.connect(server.address) as client:
        with pytest.raises(KeyboardInterrupt):
            client.square(1.0)
        assert client.square(2.0) == 2.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_makes_its_own_connection_and_leaves_the_parents_alone() -> None:
    with FakeServer(echo) as server, calculate.connect(server.address) as client:
        assert client.square(1.0) == 1.0
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(0 if client.square(2.0) == 2.0 else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert client.square(3.0) == 3.0
        assert server.connections == 2


def test_what_is_no_number_is_refused_and_harms_nothing() -> None:
    with FakeServer(echo) as server, calculate.connect(server.address) as client:
        for wrong in ("9", None, b"9", [9.0]):
            with pytest.raises(TypeError):
                client.square(wrong)  # type: ignore[arg-type]
        with pytest.raises(OverflowError):
            client.square(10**400)
        assert client.square(9) == 9.0


def _done(calls: list) -> set:  # type: ignore[type-arg]
    from concurrent.futures import FIRST_COMPLETED, wait

    done, _ = wait(calls, PATIENCE_S, FIRST_COMPLETED)
    if not done:
        raise CalculateError("nothing was answered")
    return done
