"""TLS without I/O: whatever bytes come, it ends with the right plain data or with a TlsFault."""

from __future__ import annotations

import contextlib
import functools
import random
import ssl

import pytest
from certificates import VERSIONS, server_context, trusting

import calculate
from calculate._target import Target
from calculate._tls_fault import TlsFault
from calculate._tls_stream import TlsStream

pytestmark = pytest.mark.usefixtures("made_certificates")

both_versions = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


class Server:
    """The other side, in memory."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def answer(self, data: bytes) -> bytes:
        """What it sends in the handshake when ``data`` have come."""
        self.incoming.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()

    def encrypted(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.outgoing.read()


@functools.cache
def tls() -> calculate.Tls:
    return trusting()


def make_stream() -> TlsStream:
    return TlsStream(tls(), Target("localhost", 9090))


def connected(context: ssl.SSLContext) -> tuple[TlsStream, Server]:
    stream, server = make_stream(), Server(context)
    data = None
    while not stream.shake_hands(data):
        data = server.answer(stream.outgoing())
    if tickets := server.answer(stream.outgoing()):  # TLS 1.3 has some to give
        assert stream.receive(tickets) == b""
    return stream, server


@both_versions
def test_a_flipped_bit_in_the_handshake_is_a_fault_or_does_not_matter(version: ssl.TLSVersion) -> None:
    # Property: never another exception, and what the fault says is one line.
    context = server_context(version=version)
    dice = random.Random(1)
    length = len(Server(context).answer(hello(make_stream())))
    places = range(0, length, 3)
    faults: list[str] = []
    for place in places:
        stream, server = make_stream(), Server(context)
        flight = bytearray(server.answer(hello(stream)))
        flight[min(place, len(flight) - 1)] ^= 1 << dice.randrange(8)
        try:
            stream.shake_hands(bytes(flight))
        except TlsFault as fault:
            faults.append(str(fault))
    assert len(faults) > len(places) * 0.9
    assert not any("\n" in fault for fault in faults)


@both_versions
def test_a_handshake_that_is_cut_off_anywhere_is_a_fault(version: ssl.TLSVersion) -> None:
    context = server_context(version=version)
    length = len(Server(context).answer(hello(make_stream())))
    for place in range(1, length - 1, 7):
        stream, server = make_stream(), Server(context)
        assert not stream.shake_hands(server.answer(hello(stream))[:place])
        with pytest.raises(TlsFault, match="closed the connection during the TLS handshake"):
            stream.shake_hands(b"")


@both_versions
def test_plain_data_do_not_depend_on_how_the_network_cuts_them(version: ssl.TLSVersion) -> None:
    stream, server = connected(server_context(version=version))
    dice = random.Random(2)
    sent, received = b"", b""
    for _ in range(100):
        plain = dice.randbytes(dice.choice([1, 100, 40_000]))
        sent += plain
        content = b"".join(server.encrypted(plain[at : at + 16_384]) for at in range(0, len(plain), 16_384))
        while content:
            size = min(len(content), dice.choice([1, 5, 20, 1_000, 100_000]))
            received += stream.receive(content[:size])
            content = content[size:]
        assert received == sent  # nothing waits inside for the next read
    assert stream.fault is None
    assert not stream.closed


@both_versions
def test_a_flipped_bit_in_a_record_is_a_fault_and_gives_no_data(version: ssl.TLSVersion) -> None:
    for bit in range(0, 8 * 80, 11):
        stream, server = connected(server_context(version=version))
        content = bytearray(server.encrypted(b"x" * 50))
        content[bit // 8 % len(content)] ^= 1 << bit % 8
        assert stream.receive(bytes(content)) == b""
        assert stream.receive(b"") == b""
        assert stream.fault is not None
        assert stream.receive(server.encrypted(b"more")) == b""


@both_versions
def test_what_came_before_the_end_is_given_out_with_it(version: ssl.TLSVersion) -> None:
    stream, server = connected(server_context(version=version))
    content = server.encrypted(b"last words")
    with contextlib.suppress(ssl.SSLWantReadError):
        server.tls.unwrap()
    assert stream.receive(content + server.outgoing.read()) == b"last words"
    assert stream.closed
    assert stream.fault is None


@both_versions
def test_what_is_sent_arrives_and_ends(version: ssl.TLSVersion) -> None:
    stream, server = connected(server_context(version=version))
    plain = random.Random(3).randbytes(300_000)
    server.incoming.write(stream.send(plain))
    server.incoming.write(stream.close())
    arrived = b""
    while data := server.tls.read(65_536):
        arrived += data
    assert arrived == plain
    with pytest.raises(TlsFault):
        stream.send(b"behind the end")


def hello(stream: TlsStream) -> bytes:
    assert not stream.shake_hands(None)
    return stream.outgoing()
