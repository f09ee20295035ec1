"""Who is let in by TLS, and what is said to who is not."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from typing import Any

import pytest
from byhand import HandMade
from certificates import VERSIONS, file, pair, server_context, trusting
from fakes import FakeServer, Peer, answer, echo, hang_up, silent

import calculate
from calculate import ConnectError, ConnectionClosed, DeadlineExceeded, TransportError

pytestmark = pytest.mark.usefixtures("made_certificates")

both_versions = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


def refusal(caller: Any, address: str, tls: Any, kind: type[Exception] = ConnectError) -> str:
    """What a client is told that connects and calls."""
    with pytest.raises(kind) as caught, caller.connect(address, tls=tls) as client:
        client.square(1.0)
    assert type(caught.value) is kind
    text = str(caught.value)
    assert "\n" not in text
    assert address in text
    return text


def on_localhost(server: FakeServer) -> str:
    return f"localhost:{server.port}"


@both_versions
def test_a_server_with_the_right_certificate_is_called(caller: Any, version: ssl.TLSVersion) -> None:
    spoken: list[Any] = []

    def script(peer: Peer) -> None:
        assert isinstance(peer.sock, ssl.SSLSocket)
        spoken.append(peer.sock.version())
        echo(peer)

    with FakeServer(script, context=server_context(version=version)) as server:
        for address in (on_localhost(server), server.address):
            with caller.connect(address, tls=trusting()) as client:
                assert [client.square(float(n)) for n in range(3)] == [0.0, 1.0, 2.0]
    assert spoken == [version.name.replace("_", ".")] * 2


def test_an_ipv6_address_is_checked_against_the_certificates_addresses(caller: Any) -> None:
    server = FakeServer(echo, context=server_context())
    server._listener.close()
    try:
        server._listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server, caller.connect(f"[::1]:{server.port}", tls=trusting()) as client:
        assert client.square(1.0) == 1.0


@both_versions
def test_a_client_certificate_is_shown_to_a_server_that_wants_one(caller: Any, version: ssl.TLSVersion) -> None:
    names: list[Any] = []

    def script(peer: Peer) -> None:
        assert isinstance(peer.sock, ssl.SSLSocket)
        certificate: Any = peer.sock.getpeercert()
        names.append(dict(field for (field,) in certificate["subject"])["commonName"])
        echo(peer)

    with (
        FakeServer(script, context=server_context(version=version, client_ca="ca")) as server,
        caller.connect(on_localhost(server), tls=trusting(**pair("alice"))) as client,
    ):
        assert client.square(1.0) == 1.0
    assert names == ["alice"]


@both_versions
@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        ("expired", "its certificate has expired; "),
        ("strange-server", r"its certificate is signed by an authority that is not trusted; .*\(ca\)"),
        ("elsewhere", "its certificate is for elsewhere.test, not for localhost; .* server name"),
        ("alice", "its certificate is (for alice.clients.test, not for localhost|not accepted .*purpose)"),
    ],
)
def test_a_server_with_a_wrong_certificate_is_refused(
    caller: Any, version: ssl.TLSVersion, certificate: str, says: str
) -> None:
    with FakeServer(echo, context=server_context(certificate, version=version)) as server:
        address = on_localhost(server)
        assert_says(refusal(caller, address, trusting()), f"cannot connect to {address} with TLS: {says}")
    assert server.connections == len(server.refused) == 1  # and it has been told


def test_an_address_that_is_not_in_the_certificate_is_refused(caller: Any) -> None:
    with FakeServer(echo, context=server_context("elsewhere")) as server:
        text = refusal(caller, server.address, trusting())
    assert "its certificate is for elsewhere.test, not for 127.0.0.1; " in text


def test_the_server_name_replaces_the_targets_host(caller: Any) -> None:
    with FakeServer(echo, context=server_context("elsewhere")) as server:
        with caller.connect(server.address, tls=trusting(server_name="elsewhere.test")) as client:
            assert client.square(1.0) == 1.0
        with FakeServer(echo, context=server_context()) as other:
            text = refusal(caller, other.address, trusting(server_name="elsewhere.test"))
    assert "its certificate is for localhost, 127.0.0.1, " in text
    assert ", not for elsewhere.test; " in text


def test_the_systems_authorities_are_trusted_unless_others_are_given(
    caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer(echo, context=server_context()) as server:
        assert "not trusted" in refusal(caller, on_localhost(server), calculate.Tls())
        monkeypatch.setenv("SSL_CERT_FILE", file("ca.pem"))
        with caller.connect(on_localhost(server), tls=calculate.Tls()) as client:
            assert client.square(1.0) == 1.0
        assert "not trusted" in refusal(caller, on_localhost(server), calculate.Tls(ca=file("strange-ca.pem")))


def test_a_context_of_ones_own_is_used(caller: Any) -> None:
    context = ssl.create_default_context(cafile=file("ca.pem"))
    with FakeServer(echo, context=server_context()) as server:
        with caller.connect(on_localhost(server), tls=calculate.Tls(context=context)) as client:
            assert client.square(1.0) == 1.0
        context.check_hostname = False
        with pytest.raises(ValueError, match="does not check names"):
            caller.connect(on_localhost(server), tls=calculate.Tls(context=context))


# Under TLS 1.3 the client is done before the server has looked at its certificate, and learns it from the first read:
# before connect returns, or in the first call.
@both_versions
@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (None, "it wants a client certificate and none was given; give certificate and key"),
        ("stranger", "it refused the client certificate (unknown ca); is it valid, and from an authority it trusts?"),
    ],
)
def test_a_server_that_refuses_the_client_certificate_says_so(
    caller: Any, version: ssl.TLSVersion, shown: str | None, says: str
) -> None:
    tls = trusting(**pair(shown)) if shown else trusting()
    kinds = (ConnectError,) if version == ssl.TLSVersion.TLSv1_2 else (ConnectError, ConnectionClosed)
    with FakeServer(echo, context=server_context(version=version, client_ca="ca")) as server:
        for _ in range(10):  # it must not depend on who is faster
            with pytest.raises(TransportError) as caught, caller.connect(on_localhost(server), tls=tls) as client:
                client.square(1.0)
            assert type(caught.value) in kinds
            assert says in str(caught.value)


def test_a_context_that_knows_more_than_we_is_told_both(caller: Any) -> None:
    context = ssl.create_default_context(cafile=file("ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with FakeServer(echo, context=server_context(client_ca="ca")) as server:
        text = refusal(caller, on_localhost(server), calculate.Tls(context=context))
    assert "it wants a client certificate, and was shown none that it takes" in text


def test_nothing_in_common_is_told(caller: Any) -> None:
    other_ciphers = server_context(version=ssl.TLSVersion.TLSv1_2)
    other_ciphers.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # not for a certificate like ours
    with FakeServer(echo, context=other_ciphers) as server:
        text = refusal(caller, on_localhost(server), trusting())
    assert "no TLS version or cipher in common (handshake failure); this client speaks TLS 1.2 and 1.3" in text
    only_1_2 = ssl.create_default_context(cafile=file("ca.pem"))
    only_1_2.maximum_version = ssl.TLSVersion.TLSv1_2
    with FakeServer(echo, context=server_context(version=ssl.TLSVersion.TLSv1_3)) as server:
        text = refusal(caller, on_localhost(server), calculate.Tls(context=only_1_2))
    assert "no TLS version or cipher in common (protocol version)" in text


def plain_answer(peer: Peer) -> None:
    """What is no TLS, whatever comes; and the rest of it is waited for."""
    peer.sock.recv(1)
    peer.send(b"\0\0\0\x20\x80\x01\0\3")
    peer.wait_closed()


def test_a_server_without_tls_is_recognised(caller: Any) -> None:
    with FakeServer(plain_answer) as server:
        text = refusal(caller, on_localhost(server), trusting())
    assert "it does not speak TLS; for a plain Thrift port, connect without TLS" in text


def read_and_hang_up(peer: Peer) -> None:
    peer.sock.recv(65536)


@pytest.mark.parametrize("script", [hang_up, read_and_hang_up])
def test_a_server_that_hangs_up_as_tls_begins_may_not_speak_it(caller: Any, script: Any) -> None:
    with FakeServer(script) as server:
        text = refusal(caller, on_localhost(server), trusting())
    assert "it closed the connection as TLS began, so it may not speak TLS; " in text


def begin(peer: Peer) -> None:
    """Sends the beginning of a ServerHello."""
    peer.sock.recv(65536)
    peer.send(b"\x16\x03\x03\0\x7a\x02\0")


def test_a_server_that_hangs_up_during_the_handshake(caller: Any) -> None:
    with FakeServer(begin) as server:
        text = refusal(caller, on_localhost(server), trusting())
    assert "it closed the connection during the TLS handshake" in text


def begin_and_stall(peer: Peer) -> None:
    begin(peer)
    peer.wait_closed()


@pytest.mark.parametrize("script", [silent, begin_and_stall])
def test_a_handshake_that_stalls_ends_by_the_deadline(caller: Any, script: Any) -> None:
    with FakeServer(script) as server:
        address = on_localhost(server)
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=f"^no TLS handshake with {address} within 0.2 s; "):
            caller.connect(address, tls=trusting(), timeout=0.2)
        assert 0.2 <= time.monotonic() - started < 2


def test_a_handshake_that_trickles_does_not_extend_the_deadline(caller: Any) -> None:
    stop = threading.Event()

    def script(peer: Peer) -> None:
        peer.sock.recv(65536)
        for byte in b"\x16\x03\x03\x3f\xff" + bytes(1000):
            if stop.wait(0.02):
                return
            peer.send(bytes([byte]))

    with FakeServer(script) as server:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match="TLS handshake"):
            caller.connect(on_localhost(server), tls=trusting(), timeout=0.3)
        assert time.monotonic() - started < 2
        stop.set()


def test_a_call_that_has_to_connect_again_has_one_deadline_for_the_handshake_too(caller: Any) -> None:
    def once(peer: Peer) -> None:
        peer.send(answer(peer.read_call()))

    with (
        FakeServer(once, context=server_context()) as server,
        caller.connect(on_localhost(server), tls=trusting()) as client,
    ):
        client.square(1.0)
        server._threads[1].join(20)  # the server has closed the connection
        server._context = None  # and greets nobody any more
        server._scripts = (silent,)
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"TLS handshake with .* within 0\.2 s"):
            client.square(1.0, timeout=0.2)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("framing", ["framed", "unframed"])
def test_a_plain_client_on_a_tls_port_learns_it_from_the_servers_alert(caller: Any, framing: str) -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.send(b"\x15\x03\x03\0\x02\x02\x46")
        peer.wait_closed()

    with FakeServer(script) as server, caller.connect(server.address, framing=framing) as client:
        with pytest.raises(ConnectionClosed) as caught:
            client.square(1.0)
        assert str(caught.value) == f"{server.address} closed the connection, as it wants TLS; connect with TLS"


def test_a_plain_client_on_a_tls_port_may_learn_it_from_the_end_only(caller: Any) -> None:
    with FakeServer(echo, context=server_context()) as server:
        text = refusal(caller, server.address, None, ConnectionClosed)
    assert text.endswith("if the server wants TLS, connect with TLS")


def test_a_server_that_has_answered_before_is_not_taken_for_one_with_tls(caller: Any) -> None:
    def script(peer: Peer) -> None:
        peer.send(answer(peer.read_call()))
        peer.read_call()

    with FakeServer(script) as server, caller.connect(server.address) as client:
        client.square(1.0)
        with pytest.raises(ConnectionClosed) as caught:
            client.square(1.0)
        assert "TLS" not in str(caught.value)


def test_a_server_that_speaks_first_is_refused(caller: Any) -> None:
    def script(peer: Peer) -> None:
        tls = HandMade(peer, server_context(version=ssl.TLSVersion.TLSv1_2))
        tls.shake_hands(behind=b"220 mail.example ready")
        peer.wait_closed()

    with FakeServer(script) as server:
        text = refusal(caller, on_localhost(server), trusting())
    assert "it sent data before it was asked for any; is it a Thrift server?" in text


def assert_says(text: str, pattern: str) -> None:
    assert re.match(pattern, text), text
