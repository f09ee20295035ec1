"""A oneway call is over when it was sent: nobody answers it, and nobody waits."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, NamedTuple

import pytest
from certificates import server_context, trusting
from fakes import PATIENCE_S, FakeServer, Peer, answer, decode_call, echo, frame, reply
from programs import needs_server, serving
from test_other_idl import ECHO, EchoArgs
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TMessageType
from thrift.transport.TTransport import TMemoryBuffer

import calculate
from calculate import Balancing, ConnectionClosed, DeadlineExceeded, Method, ProtocolError, aio
from calculate._client import SQUARE, square_args

NOTE = Method.oneway("Note", EchoArgs)
LONG = "x" * 16_000_000  # more than a socket takes while its peer does not read


class Note(NamedTuple):
    seqid: int
    text: str


def read(peer: Peer) -> Any:
    """The next framed binary message: a Note, or a call of a number."""
    content = peer.read_frame()
    source = TBinaryProtocol(TMemoryBuffer(content))
    name, kind, seqid = source.readMessageBegin()
    if kind != TMessageType.ONEWAY:
        return decode_call(content)
    assert name == "Note"
    source.readStructBegin()
    source.readFieldBegin()
    return Note(seqid, source.readString())


class Notes:
    """A script that keeps notes and answers calls."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def __call__(self, peer: Peer) -> None:
        while True:
            message = read(peer)
            if isinstance(message, Note):
                self.kept.append(message.text)
            else:
                peer.send(answer(message))


class Deaf:
    """A script that reads nothing until it is told to, and then goes on with another."""

    def __init__(self, then: Any) -> None:
        self._then = then
        self.hear = threading.Event()

    def __call__(self, peer: Peer) -> None:
        assert self.hear.wait(PATIENCE_S)
        self._then(peer)


def wait_until(condition: Callable[[], object]) -> None:
    end = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < end, "it never came true"
        threading.Event().wait(0.001)


def reset(peer: Peer) -> None:
    """Ends the connection with RST."""
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_it_answers_none_and_calls_go_on_around_it(caller: Any) -> None:
    notes = Notes()
    with FakeServer(notes) as server, caller.connect(server.address) as client:
        for n in range(20):
            assert client.call(NOTE, EchoArgs(str(n))) is None
            assert client.square(float(n)) == float(n)
        assert server.connections == 1
    assert notes.kept == [str(n) for n in range(20)]


def test_threads_send_it_while_calls_are_in_flight() -> None:
    # The server answers only when it has the note that was sent behind the call.
    def script(peer: Peer) -> None:
        for _ in range(50):
            call, note = read(peer), read(peer)
            assert note == (call.seqid + 1, "behind")
            peer.send(answer(call))

    with FakeServer(script) as server, calculate.connect(server.address) as client, ThreadPoolExecutor(1) as pool:
        channel: Any = client._channel
        for n in range(50):
            call = pool.submit(client.square, float(n))
            wait_until(lambda: channel._connection._session.pending)
            client.call(NOTE, EchoArgs("behind"))
            assert call.result(PATIENCE_S) == float(n)


def test_tasks_send_it_together_with_calls() -> None:
    notes = Notes()

    async def run(address: str) -> list[Any]:
        async with await aio.connect(address) as client:
            return await asyncio.gather(
                *(client.square(float(n)) if n % 2 else client.call(NOTE, EchoArgs(str(n))) for n in range(100))
            )

    with FakeServer(notes) as server:
        assert asyncio.run(run(server.address)) == [float(n) if n % 2 else None for n in range(100)]
        assert server.connections == 1
    assert notes.kept == [str(n) for n in range(0, 100, 2)]


def test_many_threads_mix_them_with_calls() -> None:
    notes = Notes()

    def work(n: int) -> Any:
        return client.call(NOTE, EchoArgs(str(n))) if n % 2 else client.square(float(n))

    with FakeServer(notes) as server, calculate.connect(server.address) as client, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(2_000))) == [None if n % 2 else float(n) for n in range(2_000)]
        assert client.square(1.0) == 1.0  # all notes were before it
        assert server.connections == 1
    assert sorted(map(int, notes.kept)) == list(range(1, 2_000, 2))


def test_an_answer_to_it_is_a_protocol_error(caller: Any) -> None:
    def script(peer: Peer) -> None:
        note, call = read(peer), read(peer)
        peer.send(frame(reply("Square", note.seqid, 3.0)), answer(call))
        peer.wait_closed()

    with FakeServer(script, echo) as server, caller.connect(server.address) as client:
        client.call(NOTE, EchoArgs("?"))
        with pytest.raises(ProtocolError, match="answered the call 1, which nobody made"):
            client.square(4.0)
        assert client.square(5.0) == 5.0


def test_a_connection_that_was_closed_while_idle_does_not_swallow_it(caller: Any) -> None:
    notes = Notes()

    def once(peer: Peer) -> None:
        peer.send(answer(read(peer)))

    with FakeServer(once, notes) as server, caller.connect(server.address) as client:
        assert client.square(1.0) == 1.0
        server._threads[1].join(PATIENCE_S)  # the server has closed the connection
        client.call(NOTE, EchoArgs("kept"))
        assert client.square(2.0) == 2.0
    assert notes.kept == ["kept"]


def test_a_connection_that_is_lost_before_all_of_it_was_sent_fails_it(caller: Any) -> None:
    notes = Notes()

    def cut(peer: Peer) -> None:
        peer.sock.recv(100_000)
        reset(peer)

    with FakeServer(cut, notes) as server, caller.connect(server.address) as client:
        with pytest.raises(ConnectionClosed, match=server.address):
            client.call(NOTE, EchoArgs(LONG))
        assert client.square(2.0) == 2.0
    assert notes.kept == []


@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.usefixtures("made_certificates")
def test_a_server_that_does_not_read_cannot_hold_it_beyond_its_deadline(caller: Any, secured: bool) -> None:
    deaf = Deaf(lambda _: None)
    notes = Notes()
    context, tls = (server_context(), trusting()) if secured else (None, None)
    with FakeServer(deaf, notes, context=context) as server, caller.connect(server.address, tls=tls) as client:
        with pytest.raises(DeadlineExceeded, match=f"^{server.address} did not take Note within 0.2 s; "):
            client.call(NOTE, EchoArgs(LONG), timeout=0.2)
        client.call(NOTE, EchoArgs("short"))
        assert client.square(2.0) == 2.0
        assert server.connections == 2
        deaf.hear.set()
    assert notes.kept == ["short"]


@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.usefixtures("made_certificates")
def test_a_long_one_is_over_when_the_server_has_taken_it(caller: Any, secured: bool) -> None:
    notes = Notes()
    context, tls = (server_context(), trusting()) if secured else (None, None)
    with (
        FakeServer(notes, context=context) as server,
        caller.connect(server.address, tls=tls, timeout=PATIENCE_S) as client,
    ):
        client.call(NOTE, EchoArgs(LONG))
        assert client.square(2.0) == 2.0
    assert notes.kept == [LONG]


@pytest.mark.parametrize("method", [ECHO, NOTE])
def test_its_thread_sends_the_rest_for_a_caller_that_gave_up(method: Method) -> None:
    notes = Notes()

    def script(peer: Peer) -> None:
        assert len(peer.read_frame()) > len(LONG)
        notes(peer)

    deaf = Deaf(script)
    with FakeServer(deaf, notes) as server, calculate.connect(server.address) as client, ThreadPoolExecutor(2) as pool:
        connection: Any = client._channel._connection  # type: ignore[union-attr]
        late = pool.submit(client.call, method, EchoArgs(LONG), timeout=1.0)
        wait_until(lambda: connection._sender is not None)
        behind = pool.submit(client.call, NOTE, EchoArgs("behind"), timeout=PATIENCE_S)
        wait_until(lambda: any(call.parked for call in list(connection._session.oneway.values())))
        with pytest.raises(DeadlineExceeded):
            late.result(PATIENCE_S)
        deaf.hear.set()
        assert behind.result(PATIENCE_S) is None
        wait_until(lambda: notes.kept == ["behind"])
        assert client.square(1.0) == 1.0


def test_a_cancelled_one_is_not_sent_behind_one_that_is() -> None:
    notes = Notes()
    closed = threading.Event()

    def script(peer: Peer) -> None:
        try:
            notes(peer)
        except EOFError:
            closed.set()

    deaf = Deaf(script)

    async def run(address: str) -> None:
        async with await aio.connect(address, timeout=PATIENCE_S) as client:
            first = asyncio.ensure_future(client.call(NOTE, EchoArgs(LONG)))
            channel: Any = client._channel
            while not channel._connection._paused:
                await asyncio.sleep(0)
            second = asyncio.ensure_future(client.call(NOTE, EchoArgs("cancelled")))
            while not channel._connection.session.unsent:
                await asyncio.sleep(0)
            second.cancel()
            await asyncio.wait({second})
            assert second.cancelled()
            assert not first.done()
            deaf.hear.set()
            await first
            # Nothing came since: the connection is retired, and this was its last call.
            await asyncio.get_running_loop().run_in_executor(None, closed.wait, PATIENCE_S)
            assert closed.is_set()
            assert await client.square(1.0) == 1.0

    with FakeServer(deaf, notes) as server:
        asyncio.run(run(server.address))
    assert notes.kept == [LONG]


def test_closing_the_client_fails_those_that_are_not_sent() -> None:
    deaf = Deaf(lambda _: None)

    async def run(address: str) -> None:
        client = await aio.connect(address)
        note = asyncio.ensure_future(client.call(NOTE, EchoArgs(LONG)))
        channel: Any = client._channel
        while not channel._connection._paused:
            await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ConnectionClosed, match=f"^this client of {address} was closed"):
            await note

    with FakeServer(deaf) as server:
        asyncio.run(run(server.address))
        deaf.hear.set()


def test_of_several_servers_another_gets_it_when_nothing_was_sent(caller: Any) -> None:
    notes = Notes()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"127.0.0.1:{listener.getsockname()[1]}"
    with (
        FakeServer(notes) as server,
        caller.connect(f"{nobody},{server.address}", balancing=Balancing("round_robin")) as client,
    ):
        for n in range(8):
            client.call(NOTE, EchoArgs(str(n)))
        assert client.square(1.0) == 1.0
        assert client.counters().failures == 0
    assert notes.kept == [str(n) for n in range(8)]


def test_of_several_servers_no_other_gets_it_when_some_was_sent(caller: Any) -> None:
    scripts = [Notes(), Notes()]

    def cut(peer: Peer) -> None:
        peer.sock.recv(100_000)
        reset(peer)

    with (
        FakeServer(cut, scripts[0]) as one,
        FakeServer(cut, scripts[1]) as two,
        caller.connect(f"{one.address},{two.address}") as client,
    ):
        with pytest.raises(ConnectionClosed):
            client.call(NOTE, EchoArgs(LONG))
        assert one.connections + two.connections == 1
        assert client.counters().retries == 0


@needs_server
@pytest.mark.parametrize("protocol", ["binary", "compact"])
@pytest.mark.parametrize("framing", ["framed", "unframed"])
def test_the_real_server_answers_none(caller: Any, protocol: Any, framing: Any) -> None:
    square = Method.oneway("Square", SQUARE.args)
    with serving() as address, caller.connect(address, protocol=protocol, framing=framing) as client:
        for n in range(20):
            client.call(square, square_args(-1.0))
            assert client.square(float(n * n)) == float(n)
