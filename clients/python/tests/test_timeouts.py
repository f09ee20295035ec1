"""A call ends by its deadline, and what comes later is never another call's answer."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import PATIENCE_S, FakeServer, Peer, answer, echo, silent

from calculate import DeadlineExceeded


def test_a_late_answer_is_dropped_and_later_calls_get_their_own(caller: Any) -> None:
    # The stock client gives every later call the answer of the call before it.
    # The first call is answered while the second is in flight, so that the connection is not retired by silence.
    def script(peer: Peer) -> None:
        kept, late = peer.read_calls(2)
        peer.send(answer(kept))
        third = peer.read_call()
        peer.send(answer(late), answer(third))
        echo(peer)

    with FakeServer(script) as server, caller.connect(server.address) as client:
        outcomes: list[Any] = [None, None]
        if caller.kind == "aio":
            import asyncio

            async def both() -> list[Any]:
                calls = (client._client.square(1.0), client._client.square(2.0, timeout=0.1))
                return list(await asyncio.gather(*calls, return_exceptions=True))

            outcomes = client._loop.run_until_complete(both())
        else:

            def late() -> None:
                try:
                    client.square(2.0, timeout=0.2)
                except DeadlineExceeded as error:
                    outcomes[1] = error

            first = threading.Thread(target=lambda: outcomes.__setitem__(0, client.square(1.0)))
            first.start()
            _wait_until(lambda: client._channel._connection._session.pending)
            late()
            first.join(PATIENCE_S)
        assert outcomes[0] == 1.0
        assert isinstance(outcomes[1], DeadlineExceeded)
        for value in (3.0, 4.0, 5.0, 6.0):
            assert client.square(value) == value
        assert server.connections == 1


def test_a_time_out_in_silence_gives_the_next_call_a_new_connection(caller: Any) -> None:
    with FakeServer(silent, echo) as server, caller.connect(server.address) as client:
        with pytest.raises(DeadlineExceeded):
            client.square(10.0, timeout=0.05)
        for value in (11.0, 12.0):
            assert client.square(value) == value
        assert server.connections == 2


def test_the_error_names_the_server_the_method_and_the_time(caller: Any) -> None:
    with (
        FakeServer(silent) as server,
        caller.connect(server.address) as client,
        pytest.raises(DeadlineExceeded, match=f"^{server.address} did not answer Square within 0.05 s; "),
    ):
        client.square(1.0, timeout=0.05)


def test_the_clients_time_out_is_the_default_of_each_call(caller: Any) -> None:
    with FakeServer(silent) as server, caller.connect(server.address, timeout=0.1) as client:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.square(1.0)
        assert 0.1 <= time.monotonic() - started < 2


def test_bytes_that_trickle_in_do_not_extend_the_deadline(caller: Any) -> None:
    stop = threading.Event()

    def script(peer: Peer) -> None:
        whole = answer(peer.read_call())
        for byte in whole:
            if stop.wait(0.05):
                return
            peer.send(bytes([byte]))

    with FakeServer(script) as server, caller.connect(server.address) as client:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.square(1.0, timeout=0.3)
        assert time.monotonic() - started < 1
        stop.set()


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_what_cannot_be_a_time_out_is_refused(caller: Any, timeout: float) -> None:
    with FakeServer(echo) as server, caller.connect(server.address) as client:
        with pytest.raises(ValueError, match="timeout"):
            client.square(1.0, timeout=timeout)
        with pytest.raises(ValueError, match="timeout"):
            caller.connect(server.address, timeout=timeout)


@contextlib.contextmanager
def full_backlog() -> Iterator[str]:
    """A server that never accepts, and whose queue of connections is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while True:
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.2)
            try:
                filler.connect(listener.getsockname())
            except TimeoutError:
                break
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_connecting_is_limited_by_the_time_out(caller: Any) -> None:
    with full_backlog() as address:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=address):
            caller.connect(address, timeout=0.1)
        assert 0.1 <= time.monotonic() - started < 2


def test_a_call_that_has_to_connect_again_has_one_deadline_for_both(caller: Any) -> None:
    # The second connection is made, as its handshake needs no accept, and stays silent.
    def once(peer: Peer) -> None:
        peer.send(answer(peer.read_call()))

    with FakeServer(once, silent) as server, caller.connect(server.address) as client:
        client.square(1.0)
        server._threads[1].join(PATIENCE_S)  # the server has closed the connection
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.square(1.0, timeout=0.2)
        assert time.monotonic() - started < 1


def test_a_server_that_does_not_read_cannot_hold_a_caller_beyond_its_deadline(caller: Any) -> None:
    from test_other_idl import text_of

    release = threading.Event()

    def deaf(_: Peer) -> None:
        release.wait(PATIENCE_S)

    with FakeServer(deaf) as server, caller.connect(server.address) as client:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            text_of(caller, client, "x" * 12_000_000, timeout=0.2)
        assert time.monotonic() - started < 2
        release.set()


def _wait_until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)
