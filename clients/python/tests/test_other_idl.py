"""A client calls the methods of any IDL: here some that the Calculate service does not have."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import FakeServer, Peer, domain_error, echo, frame
from thrift.Thrift import TType

from calculate import DeclaredError, Method, ProtocolError
from calculate._client import SQUARE, square_args
from calculate._gen.ttypes import DomainError
from calculate._options import Options
from calculate._session import Session


class EchoArgs:
    thrift_spec = (None, (1, TType.STRING, "text", "UTF8", None))

    def __init__(self, text: str | None = None) -> None:
        self.text = text


class EchoResult:
    thrift_spec = ((0, TType.STRING, "success", "UTF8", None),)

    def __init__(self) -> None:
        self.success: str | None = None


class NothingResult:
    thrift_spec = ()


ECHO = Method("Echo", EchoArgs, EchoResult)
NOTHING = Method("Nothing", EchoArgs, NothingResult)


def text_of(caller: Any, client: Any, text: str, timeout: float | None = None) -> Any:
    return client.call(ECHO, EchoArgs(text), timeout=timeout)


def echo_text(peer: Peer) -> None:
    """Turns the arguments (field 1) into the result (field 0)."""
    while True:
        content = bytearray(peer.read_frame())
        content[3] = 2
        name_length = int.from_bytes(content[4:8], "big")
        content[8 + name_length + 6] = 0
        peer.send(frame(bytes(content)))


def test_a_method_of_another_idl_is_called(caller: Any) -> None:
    with FakeServer(echo_text) as server, caller.connect(server.address) as client:
        assert text_of(caller, client, "квадрат · 平方根") == "квадрат · 平方根"


def test_a_declared_exception_without_an_error_of_its_own_is_a_declared_error(caller: Any) -> None:
    def script(peer: Peer) -> None:
        peer.send(domain_error(peer.read_call(), "no\nroot"))
        echo(peer)

    square = Method("Square", SQUARE.args, SQUARE.result)
    with FakeServer(script) as server, caller.connect(server.address) as client:
        with pytest.raises(DeclaredError) as caught:
            client.call(square, square_args(-4.0))
        assert caught.value.exception == DomainError("no\nroot", -4.0)
        assert str(caught.value).startswith(f"{server.address} answered with DomainError(")
        assert "\n" not in str(caught.value)
        assert client.call(square, square_args(4.0)).value == 4.0


def test_an_error_for_an_exception_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="Square declares no exception errors"):
        Method("Square", SQUARE.args, SQUARE.result, {"errors": DeclaredError})


def test_a_message_of_many_reads_and_writes_arrives_whole(caller: Any) -> None:
    text = "0123456789" * 1_000_000
    with FakeServer(echo_text) as server, caller.connect(server.address) as client:
        assert text_of(caller, client, text) == text


def test_a_call_longer_than_the_limit_is_refused_and_harms_nothing(caller: Any) -> None:
    with FakeServer(echo_text) as server, caller.connect(server.address, max_message_bytes=100) as client:
        with pytest.raises(ValueError, match="max_message_bytes is 100"):
            text_of(caller, client, "x" * 101)
        assert text_of(caller, client, "x") == "x"


def test_a_method_without_a_value_answers_none() -> None:
    from test_golden import Kept

    session: Session[Kept] = Session(Options(), "server:1")
    call = Kept(NOTHING)
    call.value = "nothing yet"
    session.start(call, EchoArgs(""))
    session.take_unsent()
    session.receive(frame(b"\x80\x01\0\x02\0\0\0\x07Nothing\0\0\0\x01\0"))
    assert (call.value, call.error) == (None, None)


def test_a_required_field_deep_in_a_value_is_missed() -> None:
    from test_golden import Kept

    from calculate._gen.ttypes import Number

    class ListResult:
        thrift_spec = ((0, TType.LIST, "success", (TType.STRUCT, [Number, Number.thrift_spec], False), None),)
        success = None

    session: Session[Kept] = Session(Options(), "server:1")
    call = Kept(Method("List", EchoArgs, ListResult))
    session.start(call, EchoArgs(""))
    session.take_unsent()
    session.receive(frame(b"\x80\x01\0\x02\0\0\0\x04List\0\0\0\x01\x0f\0\0\x0c\0\0\0\x01\0\0"))
    assert isinstance(call.error, ProtocolError)
