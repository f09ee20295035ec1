"""A lost connection fails what was in flight, repeats nothing, and is replaced by the next call."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes import PATIENCE_S, FakeServer, Peer, answer, echo, hang_up, silent

import calculate
from calculate import CalculateError, ConnectError, ConnectionClosed, aio

_ESTABLISHED = "01"  # in Linux's table of sockets


def answer_once(peer: Peer) -> None:
    peer.send(answer(peer.read_call()))


def reset(peer: Peer) -> None:
    """Ends the connection with RST."""
    peer.read_call()
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_connection_closed_while_idle_is_replaced_unseen(caller: Any) -> None:
    with FakeServer(answer_once) as server, caller.connect(server.address) as client:
        for value in range(20):
            assert client.square(float(value)) == float(value)
            server._threads[value + 1].join(PATIENCE_S)  # the server has closed it
        assert server.connections == 20


def test_a_connection_lost_in_a_call_fails_it_and_is_replaced(caller: Any) -> None:
    def read_and_close(peer: Peer) -> None:
        peer.read_call()

    for lose in (read_and_close, reset):
        with FakeServer(lose, echo) as server, caller.connect(server.address) as client:
            with pytest.raises(ConnectionClosed, match=server.address):
                client.square(1.0)
            assert client.square(2.0) == 2.0
            assert server.connections == 2


def test_a_server_that_closes_each_connection_at_once_is_not_tried_for_ever(caller: Any) -> None:
    with FakeServer(hang_up) as server, caller.connect(server.address) as client:
        for _ in range(5):
            with pytest.raises(ConnectionClosed):
                client.square(1.0)
        assert server.connections <= 20


def test_all_threads_in_flight_fail_at_once() -> None:
    def script(peer: Peer) -> None:
        peer.read_calls(8)

    def call(value: int) -> type[BaseException]:
        with pytest.raises(CalculateError) as caught:
            client.square(float(value))
        return caught.type

    with FakeServer(script) as server, calculate.connect(server.address) as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [ConnectionClosed] * 8


def test_all_tasks_in_flight_fail_at_once() -> None:
    def script(peer: Peer) -> None:
        peer.read_calls(8)

    async def run(address: str) -> list[Any]:
        async with await aio.connect(address) as client:
            return await asyncio.gather(*(client.square(1.0) for _ in range(8)), return_exceptions=True)

    with FakeServer(script) as server:
        errors = asyncio.run(run(server.address))
    assert [type(error) for error in errors] == [ConnectionClosed] * 8
    assert len({id(error) for error in errors}) == 8


def test_a_faulty_answer_fails_its_call_and_closes_for_the_others() -> None:
    def script(peer: Peer) -> None:
        calls = peer.read_calls(3)
        peer.send(answer(calls[1])[:-2] + b"\x01\0")
        peer.wait_closed()

    async def run(address: str) -> list[Any]:
        async with await aio.connect(address) as client:
            return await asyncio.gather(*(client.square(1.0) for _ in range(3)), return_exceptions=True)

    with FakeServer(script) as server:
        kinds = [type(error) for error in asyncio.run(run(server.address))]
    assert kinds == [ConnectionClosed, calculate.ProtocolError, ConnectionClosed]


def test_closing_the_client_fails_the_threads_in_flight() -> None:
    def call(_: int) -> type[BaseException]:
        with pytest.raises(CalculateError) as caught:
            client.square(1.0)
        return caught.type

    all_in = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_calls(4)
        all_in.set()
        peer.wait_closed()

    with FakeServer(script) as server, ThreadPoolExecutor(4) as pool:
        client = calculate.connect(server.address)
        calls = [pool.submit(call, n) for n in range(4)]
        assert all_in.wait(PATIENCE_S)
        client.close()
        assert [call.result(PATIENCE_S) for call in calls] == [ConnectionClosed] * 4


def test_closing_the_client_fails_the_tasks_in_flight() -> None:
    async def run(address: str) -> Any:
        client = await aio.connect(address)
        call = asyncio.ensure_future(client.square(1.0))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ConnectionClosed, match=f"^this client of {address} was closed"):
            await call

    with FakeServer(silent) as server:
        asyncio.run(run(server.address))


def test_a_closed_client_refuses_calls_and_may_be_closed_again(caller: Any) -> None:
    with FakeServer(echo) as server:
        client = caller.connect(server.address)
        client.square(1.0)
        client.close()
        client.close()
        with pytest.raises(ConnectionClosed, match="was closed"):
            client.square(1.0)
        assert server.connections == 1


def test_a_wrong_address_is_told_by_connect(caller: Any) -> None:
    address = unused_address()
    with pytest.raises(ConnectError, match=rf"^cannot connect to {address} \("):
        caller.connect(address)


def test_a_name_that_does_not_exist_is_told_by_connect(caller: Any) -> None:
    with pytest.raises(CalculateError, match=r"nowhere\.invalid:9090"):
        caller.connect("nowhere.invalid:9090", timeout=5.0)


def test_a_name_is_looked_up(caller: Any) -> None:
    with FakeServer(echo) as server:
        port = server.address.partition(":")[2]
        with caller.connect(f"localhost:{port}") as client:
            assert client.square(4.0) == 4.0


def test_a_server_that_comes_back_is_found_again(caller: Any) -> None:
    with FakeServer(answer_once) as server:
        client = caller.connect(server.address)
        assert client.square(1.0) == 1.0
    with pytest.raises(ConnectError):
        client.square(2.0)
    port = int(server.address.partition(":")[2])
    again = FakeServer(echo)
    again._listener.close()
    again._listener = socket.create_server(("127.0.0.1", port))
    with again:
        assert client.square(3.0) == 3.0
        client.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's table of sockets")
def test_the_kernel_watches_an_idle_connection(caller: Any) -> None:
    with FakeServer(silent) as server, caller.connect(server.address):
        port = int(server.address.rpartition(":")[2])
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        [timer] = [cells[5] for cells in sockets if cells[2].endswith(f":{port:04X}") and cells[3] == _ESTABLISHED]
        kind, hundredths = timer.split(":")
        assert kind == "02"  # of keepalive
        assert 1000 <= int(hundredths, 16) <= 1500
