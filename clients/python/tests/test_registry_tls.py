"""Clients that speak TLS to ZooKeeper: a real one, with a port for it; and what they are told when they cannot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from certificates import file, pair, trusting
from fakes import FakeServer, echo
from programs import needs_server, serving
from test_cli import run
from test_registry import call, listed
from zookeepers import ZooKeeper, needs_zookeeper, with_tls

import calculate
from calculate import Balancing, ConnectError

pytestmark = [needs_zookeeper, pytest.mark.usefixtures("made_certificates")]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def open_() -> Iterator[ZooKeeper]:
    """One that anybody may speak to, with an instance in it."""
    with registry("none") as running:
        yield running


@pytest.fixture(scope="module")
def closed() -> Iterator[ZooKeeper]:
    """One that wants certificates, with an instance in it."""
    with registry("need") as running:
        yield running


@contextlib.contextmanager
def registry(client_auth: str) -> Iterator[ZooKeeper]:
    with with_tls(client_auth=client_auth) as running, running.client() as client, FakeServer(echo) as server:
        client.register(server.address, "a")
        yield running


def balancing(**settings: str) -> Balancing:
    return Balancing(zk_tls=trusting(**settings))


def failure(caller: Any, target: str, zk_tls: calculate.Tls | None) -> str:
    with pytest.raises(ConnectError) as error:
        caller.connect(target, timeout=1.5, balancing=Balancing(zk_tls=zk_tls))
    return str(error.value)


def test_the_list_comes_over_tls_and_changes(caller: Any, open_: ZooKeeper) -> None:
    connected = caller.connect(open_.secure_target(), balancing=balancing())
    with connected as calling, FakeServer(echo) as another, open_.client() as client:
        call(calling)
        client.register(another.address, "b")
        caller.eventually(lambda: listed(calling) == ["a", "b"])
        client.remove("b")
        caller.eventually(lambda: listed(calling) == ["a"])
        call(calling)


def test_an_address_is_checked_too(caller: Any, open_: ZooKeeper) -> None:
    with caller.connect(open_.secure_target("127.0.0.1"), balancing=balancing()) as calling:
        call(calling)


def test_a_certificate_is_shown_to_a_registry_that_wants_one(caller: Any, closed: ZooKeeper) -> None:
    with caller.connect(closed.secure_target(), balancing=balancing(**pair("alice"))) as calling:
        call(calling)


def test_a_session_that_expired_is_replaced_under_tls(caller: Any) -> None:
    with registry("need") as own, FakeServer(echo) as another, ExitStack() as stack:
        calling = stack.enter_context(caller.connect(own.secure_target(), balancing=balancing(**pair("alice"))))
        own.command("expire")
        client = stack.enter_context(own.client())
        client.register(another.address, "b")
        caller.eventually(lambda: "b" in listed(calling))


def test_each_fault_is_told_with_what_to_do_about_it(caller: Any, open_: ZooKeeper, closed: ZooKeeper) -> None:
    ours, at = trusting(), r"cannot speak TLS with ZooKeeper at localhost:"
    for target, zk_tls, why in (
        (open_.secure_target(), calculate.Tls(ca=file("strange-ca.pem")), "by an authority that is not trusted; if"),
        (open_.secure_target(), calculate.Tls(), "signed by an authority that is not trusted"),
        (closed.secure_target(), ours, "wants a client certificate and none was given; give certificate and key"),
        (closed.secure_target(), trusting(**pair("stranger")), "it refused the client certificate (certificate unknow"),
        (
            open_.target().replace("127.0.0.1", "localhost"),
            ours,
            "so it may not speak TLS; for a plain port, leave zk_",
        ),
    ):
        text = failure(caller, target, zk_tls)
        assert at in text, text
        assert why in text, text
    text = failure(caller, open_.secure_target(), None)
    assert "no connection to ZooKeeper at localhost:" in text
    assert text.endswith("; does it run there, and without TLS?")


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ("expired", "its certificate has expired; the server needs a new one"),
        ("elsewhere", "its certificate is for elsewhere.test, not for localhost; correct the address"),
        ("strange-server", "signed by an authority that is not trusted"),
    ],
)
def test_a_registry_with_a_wrong_certificate_is_not_listened_to(caller: Any, certificate: str, why: str) -> None:
    with with_tls(certificate) as running:
        text = failure(caller, running.secure_target(), trusting())
    assert why in text
    assert "server name" not in text


def test_a_server_name_cannot_be_given() -> None:
    with pytest.raises(ValueError, match="zk_tls: a registry's certificate must be for its host; leave the server"):
        balancing(server_name="localhost")


@needs_server
def test_a_server_that_registers_over_tls_is_found_over_tls(caller: Any, closed: ZooKeeper) -> None:
    url = closed.secure_target().replace("/services/calculate", "/real")
    shown = ["--zk-tls-ca", file("ca.pem"), "--zk-tls-certificate", file("bob.pem"), "--zk-tls-key", file("bob.key")]
    settings = balancing(**pair("alice"))
    with serving("--register", url, *shown), caller.connect(f"{url}/calculate", balancing=settings) as calling:
        assert calling.square(9.0) == 3.0


def test_the_program_takes_it_from_flags_and_from_the_environment(
    open_: ZooKeeper, closed: ZooKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = ["--zk-tls-certificate", file("alice.pem"), "--zk-tls-key", file("alice.key")]
    ca = ["--zk-tls-ca", file("ca.pem")]
    assert run("--server", closed.secure_target(), *ca, *alice, "9") == (0, "9.0\n", "")
    monkeypatch.setenv("SSL_CERT_FILE", file("ca.pem"))
    assert run("--server", open_.secure_target(), "--zk-tls", "9") == (0, "9.0\n", "")
    monkeypatch.setenv("CALCULATE_ZK_TLS", "true")
    assert run("--server", open_.secure_target(), "9") == (0, "9.0\n", "")
    monkeypatch.setenv("CALCULATE_ZK_TLS", "false")
    monkeypatch.setenv("CALCULATE_ZK_TLS_CA", file("ca.pem"))
    monkeypatch.setenv("CALCULATE_ZK_TLS_CERTIFICATE", file("alice.pem"))
    monkeypatch.setenv("CALCULATE_ZK_TLS_KEY", file("alice.key"))
    assert run("--server", closed.secure_target(), "9") == (0, "9.0\n", "")
    code, out, err = run("--server", open_.secure_target("127.0.0.2"), "--timeout", "1", "9")
    assert (code, out, err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--zk-tls-certificate", file("alice.pem")], "--zk-tls-certificate and --zk-tls-key go together"),
        (["--zk-tls-key", file("alice.key")], "--zk-tls-certificate and --zk-tls-key go together"),
        (["--zk-tls-ca", "/nowhere"], "zk-tls: the ca file '/nowhere': it cannot be read (no such file or directory)"),
        (["--zk-tls-ca", file("alice.key")], "it does not hold certificates in PEM form"),
    ],
)
def test_what_cannot_be_right_is_wrong_usage(arguments: list[str], says: str) -> None:
    code, out, err = run("--server", "zk://localhost:1/services/calculate", *arguments, "9")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_a_variable_that_is_neither_true_nor_false_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALCULATE_ZK_TLS", "maybe")
    code, _, err = run("9")
    assert (code, "CALCULATE_ZK_TLS is 'maybe'; use true or false" in err) == (2, True)
