"""What errors say, and that they survive being sent between processes."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from fakes import FakeServer, Peer, domain_error, exception

import calculate
from calculate import errors
from calculate._gen import ttypes
from calculate._target import Target, parse_target


def test_the_tree() -> None:
    parents = {
        "CalculateError": Exception,
        "TransportError": errors.CalculateError,
        "ConnectError": errors.TransportError,
        "ConnectionClosed": errors.TransportError,
        "DeadlineExceeded": errors.CalculateError,
        "Overloaded": errors.CalculateError,
        "ApplicationError": errors.CalculateError,
        "ProtocolError": errors.CalculateError,
        "DomainError": errors.CalculateError,
        "DeclaredError": errors.CalculateError,
    }
    assert set(errors.__all__) == set(parents)
    for name, parent in parents.items():
        assert getattr(errors, name).__bases__ == (parent,)
        assert getattr(calculate, name) is getattr(errors, name)


@pytest.mark.parametrize(
    "error",
    [
        errors.DomainError("Square is not defined for -4", -4.0, "host:1"),
        errors.ApplicationError(6, "boom", "host:1"),
        errors.Overloaded("host:1 is overloaded"),
        errors.DeclaredError(ttypes.DomainError("Square is not defined for -4", -4.0), "host:1"),
    ],
)
def test_an_error_can_be_pickled(error: errors.CalculateError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_a_domain_error_tells_the_value_and_the_server(caller: Any) -> None:
    def script(peer: Peer) -> None:
        peer.send(domain_error(peer.read_call()))
        peer.wait_closed()

    with FakeServer(script) as server, caller.connect(server.address) as client:
        with pytest.raises(calculate.DomainError) as caught:
            client.square(-4.0)
        assert caught.value.message == "Square is not defined for -4"
        assert caught.value.value == -4.0
        assert str(caught.value) == f"Square is not defined for -4 (value -4.0, refused by {server.address})"


def test_exceptions_of_the_server_leave_the_connection_in_use(caller: Any) -> None:
    def script(peer: Peer) -> None:
        peer.send(exception(peer.read_call(), 1, "no such method"))
        peer.send(exception(peer.read_call(), 11, "queue full"))
        peer.send(exception(peer.read_call(), 77, ""))
        peer.wait_closed()

    with FakeServer(script) as server, caller.connect(server.address) as client:
        with pytest.raises(calculate.ApplicationError, match=r"no such method \(code 1, unknown method\)") as caught:
            client.square(1.0)
        assert (caught.value.code, caught.value.text) == (1, "no such method")
        with pytest.raises(calculate.Overloaded, match=r"overloaded .*\(queue full\); try again later"):
            client.square(1.0)
        with pytest.raises(calculate.ApplicationError, match="77"):
            client.square(1.0)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("127.0.0.1:9090", Target("127.0.0.1", 9090)),
        ("localhost:1", Target("localhost", 1)),
        ("[::1]:65535", Target("::1", 65535)),
    ],
)
def test_a_target_is_read_and_written_alike(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert str(target) == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "port is missing"),
        ("localhost", "port is missing"),
        ("[::1]", "port is missing"),
        ("::1:9090", "put in brackets"),
        ("[localhost]:9090", "only an IPv6 address"),
        ("[::1:9090", "bracket is missing"),
        (":9090", "host is missing"),
        ("host:", "port ''"),
        ("host:0", "port '0'"),
        ("host:65536", "port '65536'"),
        ("host:+1", "port '\\+1'"),
        ("host:" + "9" * 5000, "port"),
        ("http://host:80", "http:// is not known"),
        ("a b:80", "not a name"),
    ],
)
def test_what_is_no_target_is_refused_with_the_form(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what) as caught:
        calculate.connect(text)
    assert "HOST:PORT" in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "json"},
        {"framing": "none"},
        {"max_message_bytes": 0},
        {"max_message_bytes": 2**31},
        {"timeout": 0},
    ],
)
def test_a_setting_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        calculate.connect("localhost:1", **options)
