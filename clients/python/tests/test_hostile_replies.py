"""Whatever bytes come, a call ends with a right answer or with a CalculateError."""

from __future__ import annotations

import math
import time
import tracemalloc
from typing import Any

import pytest
from fakes import PROTOCOLS, FakeServer, Peer, answer, domain_error, echo, exception, frame, message, reply
from golden import REPLIES, Row, bits
from test_golden import METHODS, Kept, receive
from thrift.Thrift import TMessageType
from thrift.transport.TTransport import TMemoryBuffer

from calculate import CalculateError, ConnectionClosed, DomainError, ProtocolError
from calculate._client import SQUARE, square_args
from calculate._gen import Calculate
from calculate._gen.ttypes import Number
from calculate._options import Options
from calculate._session import Session

# One of each shape is enough: flipping bits covers their neighbours.
SHAPES = [
    row
    for row in REPLIES
    if row.seqid > 0 and row.name.split("_", 1)[1] not in ("declared_long", "exception_long") and "code" not in row.name
]


def apache_reads(content: bytes, row: Row) -> tuple[Any, ...]:
    source = PROTOCOLS[row.protocol](TMemoryBuffer(content))
    name, kind, seqid = source.readMessageBegin()
    result = METHODS[row.method][0].result()
    result.read(source)
    return name, kind, seqid, result


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize("framing", ["framed", "unframed"])
@pytest.mark.parametrize("row", SHAPES, ids=lambda row: row.name)
def test_a_flipped_bit_gives_an_error_or_what_apache_reads(row: Row, framing: str, accelerated: bool) -> None:
    # Property: never another exception, and never an answer whose id, name and value are not in the bytes.
    for bit in range(len(row.bytes) * 8):
        flipped = bytearray(row.bytes)
        flipped[bit // 8] ^= 1 << bit % 8
        call = receive(row._replace(bytes=bytes(flipped)), framing=framing, accelerated=accelerated)
        if call.value is not None:
            name, kind, seqid, result = apache_reads(bytes(flipped), row)
            assert (name, kind, seqid) == (row.method, TMessageType.REPLY, row.seqid)
            assert bits(call.value.value) == bits(result.success.value)
        elif framing == "framed":
            assert isinstance(call.error, CalculateError)


@pytest.mark.parametrize("framing", ["framed", "unframed"])
@pytest.mark.parametrize("row", SHAPES, ids=lambda row: row.name)
def test_a_prefix_is_waited_on_and_ends_with_the_connection(row: Row, framing: str) -> None:
    whole = row.bytes if framing == "unframed" else frame(row.bytes)
    for length in range(len(whole)):
        session: Session[Kept] = Session(Options(protocol=row.protocol, framing=framing), "server:1")  # type: ignore[arg-type]
        session._last_seqid = row.seqid - 1
        method, args = METHODS[row.method]
        call = Kept(method)
        session.start(call, args(1.0))
        session.take_unsent()
        session.receive(whole[:length])
        assert (call.value, call.error) == (None, None)
        session.end(ConnectionClosed("end"))
        assert isinstance(call.error, ConnectionClosed)


@pytest.mark.parametrize("framing", ["framed", "unframed"])
@pytest.mark.parametrize("protocol", ["binary", "compact"])
def test_replies_are_found_however_they_are_cut(protocol: Any, framing: Any) -> None:
    wrap = frame if framing == "framed" else bytes
    stream = b"".join(wrap(reply("Square", seqid, seqid / 3, protocol)) for seqid in range(1, 6))
    for size in range(1, len(stream) + 1):
        session: Session[Kept] = Session(Options(protocol=protocol, framing=framing), "server:1")
        calls = [Kept(SQUARE) for _ in range(5)]
        for call in calls:
            session.start(call, square_args(1.0))
        session.take_unsent()
        for start in range(0, len(stream), size):
            session.receive(stream[start : start + size])
        assert [call.value.value for call in calls] == [seqid / 3 for seqid in range(1, 6)]


def ask(caller: Any, *parts: bytes, **options: Any) -> Exception:
    """How a call ends that is answered with these bytes."""

    def script(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.send(*parts)
        peer.wait_closed()

    with FakeServer(script) as server, caller.connect(server.address, **options) as client:
        with pytest.raises(CalculateError) as caught:
            client.square(9.0)
        return caught.value


def test_an_unknown_sequence_id_closes_the_connection_and_the_next_call_gets_a_new_one(caller: Any) -> None:
    def unknown(peer: Peer) -> None:
        call = peer.read_call()
        peer.send(answer(call._replace(seqid=call.seqid + 7)))
        peer.wait_closed()

    def good(peer: Peer) -> None:
        peer.send(answer(peer.read_call(), 3.0))
        peer.wait_closed()

    with FakeServer(unknown, good) as server, caller.connect(server.address) as client:
        with pytest.raises(ProtocolError, match=f"{server.address} answered the call 8"):
            client.square(9.0)
        assert client.square(9.0) == 3.0
        assert server.connections == 2


def test_a_second_answer_to_a_call_closes_the_connection(caller: Any) -> None:
    def twice(peer: Peer) -> None:
        peer.send(answer(peer.read_call()) * 2)
        peer.wait_closed()

    def good(peer: Peer) -> None:
        peer.send(answer(peer.read_call(), 3.0))
        peer.wait_closed()

    with FakeServer(twice, good) as server, caller.connect(server.address) as client:
        assert client.square(9.0) == 9.0
        assert client.square(9.0) == 3.0


def test_the_sequence_id_of_the_stock_client_is_refused(caller: Any) -> None:
    assert isinstance(ask(caller, frame(reply("Square", 0, 3.0))), ProtocolError)


def test_an_answer_that_comes_before_its_call_was_sent_is_refused() -> None:
    session: Session[Kept] = Session(Options(), "server:1")
    call = Kept(SQUARE)
    session.start(call, square_args(1.0))
    session.receive(frame(reply("Square", 1, 3.0)))
    assert isinstance(call.error, ProtocolError)


def test_another_methods_answer_is_refused(caller: Any) -> None:
    assert isinstance(ask(caller, frame(reply("Cal", 1, 3.0))), ProtocolError)


@pytest.mark.parametrize("kind", [TMessageType.CALL, TMessageType.ONEWAY, 0, 7])
def test_a_message_that_is_no_answer_is_refused(caller: Any, kind: int) -> None:
    body = Calculate.Square_result(success=Number(3.0))
    assert isinstance(ask(caller, frame(message("Square", kind, 1, body))), ProtocolError)


def test_an_answer_without_a_value_is_refused(caller: Any) -> None:
    body = Calculate.Square_result()
    assert isinstance(ask(caller, frame(message("Square", TMessageType.REPLY, 1, body))), ProtocolError)


def test_an_answer_without_a_required_field_is_refused(caller: Any) -> None:
    without_value = bytes.fromhex("80010002 00000006 537175617265 00000001 0c0000 00 00".replace(" ", ""))
    assert isinstance(ask(caller, frame(without_value)), ProtocolError)


def test_bytes_behind_the_answer_in_its_frame_are_refused(caller: Any) -> None:
    assert isinstance(ask(caller, frame(reply("Square", 1, 3.0) + b"\0")), ProtocolError)
    assert isinstance(ask(caller, frame(reply("Square", 1, 3.0) * 2)), ProtocolError)


def test_an_answer_that_reaches_into_the_next_frame_is_refused(caller: Any) -> None:
    whole = reply("Square", 1, 3.0)
    cut = (len(whole) - 6).to_bytes(4, "big") + whole
    assert isinstance(ask(caller, cut), ProtocolError)


@pytest.mark.parametrize("length", [0, 16_384_001, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_frame_out_of_bounds_is_refused_at_its_head(caller: Any, length: int) -> None:
    assert isinstance(ask(caller, length.to_bytes(4, "big")), ProtocolError)


def test_a_reply_longer_than_the_limit_is_refused(caller: Any) -> None:
    error = ask(caller, frame(reply("Square", 1, 3.0) + b"\0\0\0"), max_message_bytes=36)
    assert isinstance(error, ProtocolError)
    assert "max_message_bytes" in str(error)


def test_a_web_server_is_told_apart(caller: Any) -> None:
    error = ask(caller, b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert isinstance(error, ProtocolError)
    assert "is it a Thrift server?" in str(error)


def test_an_answer_without_a_frame_says_what_to_set(caller: Any) -> None:
    error = ask(caller, reply("Square", 1, 3.0))
    assert isinstance(error, ProtocolError)
    assert "unframed" in str(error)


BIG = (2**31 - 1).to_bytes(4, "big")
HEAD = reply("Square", 1, 3.0)[:18]
COMPACT_HEAD = reply("Square", 1, 3.0, "compact")[:10]
VARINT_BIG = b"\xff\xff\xff\xff\x07"


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize("framing", ["framed", "unframed"])
@pytest.mark.parametrize(
    ("protocol", "content"),
    [
        pytest.param("binary", HEAD + b"\x0b\0\x05" + BIG, id="string"),
        pytest.param("binary", HEAD + b"\x0c\0\x01\x0b\0\x01" + BIG, id="string that is decoded"),
        pytest.param("binary", HEAD + b"\x0f\0\x05\x03" + BIG, id="list of bytes"),
        pytest.param("binary", HEAD + b"\x0f\0\x05\x0c" + BIG, id="list of structs"),
        pytest.param("binary", HEAD + b"\x0d\0\x05\x0b\x0b" + BIG, id="map"),
        pytest.param("binary", HEAD + b"\x0c\0\x05" * 100_000, id="deep structs"),
        pytest.param("binary", HEAD + b"\x0f\0\x05" + b"\x0f\0\0\0\x01" * 100_000, id="deep lists"),
        pytest.param("binary", HEAD[:4] + BIG + HEAD[8:], id="name"),
        pytest.param("compact", COMPACT_HEAD + b"\x58" + VARINT_BIG, id="compact string"),
        pytest.param("compact", COMPACT_HEAD + b"\x59\xf3" + VARINT_BIG, id="compact list"),
        pytest.param("compact", COMPACT_HEAD + b"\x5b" + VARINT_BIG + b"\x88", id="compact map"),
        pytest.param("compact", COMPACT_HEAD + b"\x5c" * 100_000, id="compact deep structs"),
        pytest.param("compact", COMPACT_HEAD + b"\x59" + b"\x19" * 100_000, id="compact deep lists"),
        pytest.param("compact", COMPACT_HEAD + b"\x56" + b"\xff" * 100, id="compact endless number"),
        pytest.param("compact", COMPACT_HEAD + b"\x5e", id="compact unknown type"),
        pytest.param("binary", HEAD + b"\x7f\0\x05", id="unknown type"),
    ],
)
def test_what_a_message_claims_costs_no_more_than_its_bytes(
    protocol: str, content: bytes, framing: str, accelerated: bool
) -> None:
    row = Row("hostile", protocol, "REPLY", "Square", 1, None, None, None, content)
    tracemalloc.start()
    try:
        call = receive(row, framing=framing, accelerated=accelerated)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
    assert isinstance(call.error, ProtocolError)


@pytest.mark.parametrize("protocol", ["binary", "compact"])
def test_an_unframed_answer_that_trickles_in_is_walked_over_once(protocol: Any) -> None:
    # 200,000 reads of a byte each: quadratic work would take hours.
    fields = b"\x0b\0\x05\0\0\0\x01x" * 25_000 if protocol == "binary" else b"\x58\x01x" * 60_000
    whole = reply("Square", 1, 3.0, protocol)
    content = whole[:-1] + fields + whole[-1:]
    session: Session[Kept] = Session(Options(protocol=protocol, framing="unframed"), "server:1")
    call = Kept(SQUARE)
    session.start(call, square_args(1.0))
    session.take_unsent()
    started = time.process_time()
    for byte in content:
        session.receive(bytes([byte]))
    assert time.process_time() - started < 10
    assert call.value.value == 3.0


def test_text_of_the_server_cannot_break_the_line(caller: Any) -> None:
    def script(peer: Peer) -> None:
        peer.send(domain_error(peer.read_call(), "no\n\x1b[31mroot\r"))
        peer.send(exception(peer.read_call(), 6, "two\nlines"))
        peer.send(exception(peer.read_call(), 11, "two\nlines"))
        peer.wait_closed()

    with FakeServer(script) as server, caller.connect(server.address) as client:
        with pytest.raises(DomainError) as domain:
            client.square(-4.0)
        assert domain.value.message == "no\n\x1b[31mroot\r"
        assert str(domain.value).isprintable()
        for _ in range(2):
            with pytest.raises(CalculateError) as caught:
                client.square(1.0)
            assert str(caught.value).isprintable()


def test_numbers_travel_unchanged(caller: Any) -> None:
    values = [0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf, math.nan]
    with FakeServer(echo) as server, caller.connect(server.address) as client:
        assert [bits(client.cal(value)) for value in values] == [bits(value) for value in values]
