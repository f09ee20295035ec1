"""Calls on a connection with TLS: shared, long, cut off, closed and replaced, as on a plain one."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from byhand import HandMade
from certificates import pair, server_context, trusting
from fakes import PATIENCE_S, FakeServer, Peer, Request, answer, echo, silent
from test_other_idl import ECHO, EchoArgs, echo_text, text_of
from test_threads import backwards

import calculate
from calculate import ConnectionClosed, DeadlineExceeded, aio

pytestmark = pytest.mark.usefixtures("made_certificates")


def secured(*scripts: Any) -> FakeServer:
    return FakeServer(*scripts, context=server_context())


def answer_once(peer: Peer) -> None:
    peer.send(answer(peer.read_call()))


@pytest.mark.parametrize("script", [echo, backwards])
def test_every_call_of_every_thread_gets_its_own_answer(script: Any) -> None:
    threads, calls = 8, 300

    def work(thread: int) -> None:
        for call in range(calls):
            value = float(thread * calls + call)
            assert client.square(value, timeout=PATIENCE_S) == value

    with (
        secured(script) as server,
        calculate.connect(server.address, tls=trusting()) as client,
        ThreadPoolExecutor(threads) as pool,
    ):
        for done in [pool.submit(work, thread) for thread in range(threads)]:
            done.result(2 * PATIENCE_S)
        assert server.connections == 1


def test_every_call_of_every_task_gets_its_own_answer() -> None:
    async def run(address: str) -> list[float]:
        async with await aio.connect(address, tls=trusting(), timeout=PATIENCE_S) as client:
            return await asyncio.gather(*(client.square(float(n)) for n in range(2_000)))

    with secured(backwards) as server:
        assert asyncio.run(run(server.address)) == [float(n) for n in range(2_000)]
        assert server.connections == 1


def test_a_message_of_many_records_arrives_whole(caller: Any) -> None:
    text = "0123456789" * 1_000_000
    with secured(echo_text) as server, caller.connect(server.address, tls=trusting(), timeout=PATIENCE_S) as client:
        assert text_of(caller, client, text) == text


def test_threads_send_and_receive_long_messages_at_the_same_time() -> None:
    # The server reads no call before it has written the last answer: whoever waits to write must read.
    def work(thread: int) -> None:
        text = str(thread) * 2_000_000
        for _ in range(3):
            assert client.call(ECHO, EchoArgs(text), timeout=PATIENCE_S) == text

    with (
        secured(echo_text) as server,
        calculate.connect(server.address, tls=trusting()) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        for done in [pool.submit(work, thread) for thread in range(4)]:
            done.result(2 * PATIENCE_S)
        assert server.connections == 1


def test_a_server_that_does_not_read_cannot_hold_a_caller_beyond_its_deadline(caller: Any) -> None:
    release = threading.Event()

    def deaf(_: Peer) -> None:
        release.wait(PATIENCE_S)

    with secured(deaf) as server, caller.connect(server.address, tls=trusting()) as client:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            text_of(caller, client, "x" * 12_000_000, timeout=0.3)
        assert time.monotonic() - started < 3
        release.set()


def test_answers_are_found_however_the_records_are_cut(caller: Any) -> None:
    # Several answers in a record, one in several, and the bytes of the records in any pieces.
    def script(peer: Peer) -> None:
        dice = random.Random(5)
        tls = HandMade(peer, server_context())
        tls.shake_hands()
        while True:
            whole = answer(tls.read_call())
            cut = dice.randrange(len(whole) + 1)
            content = tls.encrypted(*(part for part in (whole[:cut], whole[cut:]) if part))
            while content:
                size = dice.randrange(1, len(content) + 1)
                peer.send(content[:size])
                content = content[size:]

    with FakeServer(script) as server, caller.connect(server.address, tls=trusting()) as client:
        for value in range(200):
            assert client.square(float(value)) == float(value)


def test_all_answers_of_one_read_are_handed_out() -> None:
    # 64 records in one write: none may be left behind in TLS, where no wait for the socket would find it.
    def script(peer: Peer) -> None:
        tls = HandMade(peer, server_context())
        tls.shake_hands()
        calls = [tls.read_call() for _ in range(64)]
        peer.send(tls.encrypted(*(answer(call) for call in reversed(calls))))
        peer.wait_closed()

    with (
        FakeServer(script) as server,
        calculate.connect(server.address, tls=trusting()) as client,
        ThreadPoolExecutor(64) as pool,
    ):
        assert list(pool.map(client.square, map(float, range(64)))) == [float(n) for n in range(64)]


def test_a_connection_closed_while_idle_is_replaced_unseen(caller: Any) -> None:
    with secured(answer_once) as server, caller.connect(server.address, tls=trusting()) as client:
        for value in range(20):
            assert client.square(float(value)) == float(value)
            server._threads[value + 1].join(PATIENCE_S)  # the server has closed it
        assert server.connections == 20
        assert server.refused == []


def test_an_end_that_came_with_the_last_answer_is_not_overlooked(caller: Any) -> None:
    # The server ends TLS and leaves the socket open: nothing more will wake who waits for it.
    def script(peer: Peer) -> None:
        tls = HandMade(peer, server_context())
        tls.shake_hands()
        peer.send(tls.encrypted(answer(tls.read_call())) + tls.close_notify())
        peer.wait_closed()

    with FakeServer(script) as server, caller.connect(server.address, tls=trusting()) as client:
        for value in range(3):
            assert client.square(float(value)) == float(value)
        assert server.connections == 3


def test_a_connection_closed_in_a_call_fails_it_and_is_replaced(caller: Any) -> None:
    def read_and_close(peer: Peer) -> None:
        peer.read_call()

    with secured(read_and_close, echo) as server, caller.connect(server.address, tls=trusting()) as client:
        with pytest.raises(
            ConnectionClosed, match=f"^{server.address} closed the connection before it answered; "
        ) as e:
            client.square(1.0)
        assert "TLS" not in str(e.value)
        assert client.square(2.0) == 2.0
        assert server.connections == 2


def read_and_cut(peer: Peer) -> None:
    """Ends the connection without a word of TLS."""
    peer.read_call()
    socket.socket.shutdown(peer.sock, socket.SHUT_WR)
    raw = socket.socket(fileno=os.dup(peer.sock.fileno()))
    raw.settimeout(PATIENCE_S)
    while raw.recv(65536):
        pass
    raw.close()


def test_a_stream_that_is_cut_off_is_told_from_one_that_ended(caller: Any) -> None:
    with secured(read_and_cut, echo) as server, caller.connect(server.address, tls=trusting()) as client:
        with pytest.raises(
            ConnectionClosed, match=r"was lost \(cut off without a TLS close_notify\); the call may have"
        ):
            client.square(1.0)
        assert client.square(2.0) == 2.0


def test_an_answer_that_is_cut_off_is_none(caller: Any) -> None:
    def script(peer: Peer) -> None:
        tls = HandMade(peer, server_context())
        tls.shake_hands()
        peer.send(tls.encrypted(answer(tls.read_call()))[:-1])

    with (
        FakeServer(script) as server,
        caller.connect(server.address, tls=trusting()) as client,
        pytest.raises(ConnectionClosed, match=f"{server.address} was lost"),
    ):
        client.square(1.0)


@pytest.mark.parametrize("whole", [False, True])
def test_bytes_that_are_not_the_servers_are_refused(caller: Any, whole: bool) -> None:
    def script(peer: Peer) -> None:
        tls = HandMade(peer, server_context())
        tls.shake_hands()
        content = bytearray(tls.encrypted(answer(tls.read_call())))
        if whole:
            content[-1] ^= 1
        else:
            content[:] = answer(Request("Square", 1, 7.0))  # as somebody on the way might
        peer.send(bytes(content))
        peer.wait_closed()

    with (
        FakeServer(script) as server,
        caller.connect(server.address, tls=trusting()) as client,
        pytest.raises(ConnectionClosed, match=r"was lost \(TLS failed: "),
    ):
        client.square(1.0)


def test_the_server_is_told_of_the_end_and_nothing_is_sent_behind_it(caller: Any) -> None:
    ends: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.send(answer(peer.read_call()))
        ends.append(peer.sock.recv(1))  # raises SSLEOFError when the client goes without a close_notify
        ends.append(peer.sock.recv(1))

    with secured(script) as server, caller.connect(server.address, tls=trusting()) as client:
        client.square(1.0)
        client.close()
        client.close()
        server._threads[1].join(PATIENCE_S)
    assert ends == [b"", b""]


def test_a_call_in_flight_ends_when_the_client_is_closed() -> None:
    came = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_call()
        came.set()
        peer.wait_closed()  # fails the test when there is no close_notify

    with secured(script) as server, ThreadPoolExecutor(1) as pool:
        client = calculate.connect(server.address, tls=trusting())
        call = pool.submit(client.square, 1.0)
        assert came.wait(PATIENCE_S)
        client.close()
        with pytest.raises(ConnectionClosed, match="was closed"):
            call.result(PATIENCE_S)


def test_a_late_answer_is_dropped_and_later_calls_get_their_own(caller: Any) -> None:
    with secured(silent, echo) as server, caller.connect(server.address, tls=trusting()) as client:
        with pytest.raises(DeadlineExceeded):
            client.square(10.0, timeout=0.05)
        assert [client.square(float(value)) for value in (11, 12)] == [11.0, 12.0]
        assert server.connections == 2


def test_a_server_that_refuses_later_says_so_then(caller: Any) -> None:
    # The first connection is accepted, the server's authority changes, the next one is refused.
    with (
        FakeServer(answer_once, context=server_context(client_ca="ca")) as server,
        caller.connect(server.address, tls=trusting(**pair("alice"))) as client,
    ):
        assert client.square(1.0) == 1.0
        server._threads[1].join(PATIENCE_S)
        server._context = server_context(client_ca="strange-ca")
        with pytest.raises(calculate.TransportError, match=r"it refused the client certificate \(unknown ca\)"):
            client.square(2.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_leaves_the_parents_connection_alone() -> None:
    with secured(echo) as server, calculate.connect(server.address, tls=trusting()) as client:
        assert client.square(1.0) == 1.0
        pid = os.fork()
        if pid == 0:
            try:
                right = client.square(2.0) == 2.0
                client.close()
                os._exit(0 if right else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert client.square(3.0) == 3.0
        assert server.connections == 2
