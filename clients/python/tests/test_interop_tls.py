"""The real server over TLS and unix sockets."""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from certificates import VERSIONS, file, pair, server_context, trusting
from programs import needs_server, serving
from terminator import tls_before
from test_interop import FORMATS

import calculate
from calculate import ConnectError, ConnectionClosed, DomainError, TransportError, aio

pytestmark = [needs_server, pytest.mark.usefixtures("made_certificates")]


def encrypted(mode: str, *more: str, certificate: str = "server") -> list[str]:
    """The server's flags."""
    shown = ["--tls-certificate", file(f"{certificate}.pem"), "--tls-key", file(f"{certificate}.key")]
    return ["--tls", mode, *shown, *more]


def of_version(version: ssl.TLSVersion, **shown: str) -> calculate.Tls:
    """A client's settings that allow this version only."""
    context = ssl.create_default_context(cafile=file("ca.pem"))
    context.minimum_version = context.maximum_version = version
    if shown:
        context.load_cert_chain(shown["certificate"], shown["key"])
    return calculate.Tls(context=context)


both_versions = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


@pytest.fixture(scope="module")
def requiring(made_certificates: None) -> Iterator[str]:
    """The server with TLS only."""
    with serving(*encrypted("require")) as address:
        yield address


@pytest.fixture(scope="module")
def asking(made_certificates: None) -> Iterator[str]:
    """The server with TLS only, and with client certificates only."""
    with serving(*encrypted("require", "--tls-client-ca", file("ca.pem"))) as address:
        yield address


@both_versions
@pytest.mark.parametrize(("protocol", "framing"), FORMATS)
def test_the_service_as_the_idl_says(
    caller: Any, requiring: str, version: ssl.TLSVersion, protocol: str, framing: str
) -> None:
    with caller.connect(requiring, tls=of_version(version), protocol=protocol, framing=framing) as client:
        assert client.square(9.0) == 3.0
        assert client.cal(1e200) == math.inf
        with pytest.raises(DomainError):
            client.square(-4.0)


@both_versions
def test_threads_share_a_client(requiring: str, version: ssl.TLSVersion) -> None:
    with calculate.connect(requiring, tls=of_version(version)) as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client.cal, map(float, range(2_000)))) == [float(n * n) for n in range(2_000)]


@both_versions
def test_tasks_share_a_client(requiring: str, version: ssl.TLSVersion) -> None:
    async def run() -> list[float]:
        async with await aio.connect(requiring, tls=of_version(version)) as client:
            return await asyncio.gather(*(client.cal(float(n)) for n in range(1_000)))

    assert asyncio.run(run()) == [float(n * n) for n in range(1_000)]


def test_a_plain_client_of_a_server_with_tls_only_is_told(caller: Any, requiring: str) -> None:
    with (
        caller.connect(requiring) as client,
        pytest.raises(ConnectionClosed, match=r"if the server wants TLS, connect with TLS|as it wants TLS"),
    ):
        client.square(1.0)


def test_a_server_that_allows_tls_serves_both(caller: Any) -> None:
    with (
        serving(*encrypted("allow")) as address,
        caller.connect(address, tls=trusting()) as with_tls,
        caller.connect(address) as without,
    ):
        assert (with_tls.square(9.0), without.square(9.0)) == (3.0, 3.0)


@both_versions
def test_a_client_certificate_lets_in(caller: Any, asking: str, version: ssl.TLSVersion) -> None:
    with caller.connect(asking, tls=of_version(version, **pair("alice"))) as client:
        assert client.square(9.0) == 3.0


@both_versions
@pytest.mark.parametrize(
    ("shown", "says"),
    [(None, "it wants a client certificate"), ("stranger", r"it refused the client certificate \(unknown ca\)")],
)
def test_who_has_no_right_certificate_is_told(
    caller: Any, asking: str, version: ssl.TLSVersion, shown: str | None, says: str
) -> None:
    tls = of_version(version, **pair(shown)) if shown else of_version(version)
    for _ in range(5):  # it must not depend on who is faster
        with pytest.raises(TransportError, match=says), caller.connect(asking, tls=tls) as client:
            client.square(1.0)


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        ("expired", "its certificate has expired"),
        ("strange-server", "signed by an authority that is not trusted"),
        ("elsewhere", r"its certificate is for elsewhere\.test, not for 127\.0\.0\.1"),
    ],
)
def test_a_server_with_a_wrong_certificate_is_refused(caller: Any, certificate: str, says: str) -> None:
    with (
        serving(*encrypted("require", certificate=certificate)) as address,
        pytest.raises(ConnectError, match=says),
    ):
        caller.connect(address, tls=trusting())


def test_a_server_that_was_started_again_with_another_certificate_is_called_again(caller: Any) -> None:
    with serving(*encrypted("require")) as address:
        client = caller.connect(address, tls=trusting())
        assert client.square(9.0) == 3.0
    with client, serving(*encrypted("require", certificate="renewed"), listen=address):
        assert client.square(16.0) == 4.0


def test_a_unix_socket(caller: Any, tmp_path: Path) -> None:
    with serving(listen=f"unix:{tmp_path}/plain.sock") as address, caller.connect(address) as client:
        assert client.square(9.0) == 3.0
    with (
        serving(*encrypted("require"), listen=f"unix:{tmp_path}/tls.sock") as address,
        caller.connect(address, tls=trusting(server_name="localhost")) as client,
    ):
        assert client.square(9.0) == 3.0


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version.name)
def terminated(request: pytest.FixtureRequest, made_certificates: None) -> Iterator[str]:
    """The server without TLS, behind something that ends it and wants client certificates."""
    with (
        serving() as server,
        tls_before(server, server_context(version=request.param, client_ca="ca")) as address,
    ):
        yield address


def test_the_service_behind_what_ends_tls(caller: Any, terminated: str) -> None:
    with caller.connect(terminated, tls=trusting(**pair("alice"))) as client:
        assert client.square(9.0) == 3.0
        assert client.cal(1e200) == math.inf
        with pytest.raises(DomainError):
            client.square(-4.0)


def test_a_server_without_tls_is_recognised(caller: Any) -> None:
    with (
        serving() as server,
        pytest.raises(ConnectError, match="it may not speak TLS; for a plain Thrift port, connect without"),
    ):
        caller.connect(server, tls=trusting())
