"""The program with TLS and unix sockets, as a user runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from certificates import file, server_context
from fakes import FakeServer, echo, silent
from test_cli import run, service

pytestmark = pytest.mark.usefixtures("made_certificates")

CA = ["--tls-ca", file("ca.pem")]


def shown(name: str) -> list[str]:
    return ["--tls-certificate", file(f"{name}.pem"), "--tls-key", file(f"{name}.key")]


def failure(*arguments: str) -> tuple[int, str]:
    """The exit code and the one line that says why."""
    code, out, err = run("9", *arguments)
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("calculate-client: ")
    return code, err


def test_the_authoritys_file_alone_means_tls() -> None:
    with FakeServer(service, context=server_context()) as server:
        assert run("--server", f"localhost:{server.port}", *CA, "9", "16") == (0, "3.0\n4.0\n", "")


def test_tls_trusts_the_systems_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(service, context=server_context()) as server:
        address = f"localhost:{server.port}"
        code, err = failure("--server", address, "--tls")
        assert code == 1
        assert "signed by an authority that is not trusted" in err
        monkeypatch.setenv("SSL_CERT_FILE", file("ca.pem"))
        assert run("--server", address, "--tls", "9") == (0, "3.0\n", "")
        assert run("--server", address, "--tls-server-name", "localhost", "9") == (0, "3.0\n", "")


def test_a_client_certificate_is_shown() -> None:
    with FakeServer(service, context=server_context(client_ca="ca")) as server:
        assert run("--server", server.address, *CA, *shown("alice"), "9") == (0, "3.0\n", "")
        code, err = failure("--server", server.address, *CA)
        assert code == 1
        assert "it wants a client certificate and none was given" in err
        code, err = failure("--server", server.address, *CA, *shown("stranger"))
        assert code == 1
        assert "it refused the client certificate" in err


def test_the_server_name_is_what_the_certificate_must_be_for() -> None:
    with FakeServer(service, context=server_context("elsewhere")) as server:
        assert run("--server", server.address, *CA, "--tls-server-name", "elsewhere.test", "9") == (0, "3.0\n", "")
        code, err = failure("--server", server.address, *CA)
        assert code == 1
        assert "its certificate is for elsewhere.test, not for 127.0.0.1; " in err


@pytest.mark.parametrize(("certificate", "says"), [("expired", "has expired"), ("strange-server", "not trusted")])
def test_a_server_with_a_wrong_certificate_is_one_line_and_exit_code_1(certificate: str, says: str) -> None:
    with FakeServer(service, context=server_context(certificate)) as server:
        code, err = failure("--server", f"localhost:{server.port}", *CA)
    assert code == 1
    assert says in err


def test_a_handshake_that_stalls_is_one_line_and_exit_code_1() -> None:
    with FakeServer(silent) as server:
        code, err = failure("--server", server.address, *CA, "--timeout", "0.2")
    assert code == 1
    assert f"no TLS handshake with {server.address} within 0.2 s" in err


def test_a_plain_client_on_a_tls_port_is_one_line_and_exit_code_1() -> None:
    with FakeServer(service, context=server_context()) as server:
        code, err = failure("--server", server.address)
    assert code == 1
    assert "wants TLS" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tls-certificate", file("alice.pem")], "--tls-certificate and --tls-key go together"),
        (["--tls-key", file("alice.key")], "--tls-certificate and --tls-key go together"),
        (["--tls-ca", "missing.pem"], "the ca file 'missing.pem': it cannot be read (no such file or directory)"),
        (["--tls-ca", file("ca.key")], "does not hold certificates"),
        (
            ["--tls-certificate", file("alice.pem"), "--tls-key", file("bob.key")],
            "it is not the key of the certificate",
        ),
        (["--tls", "--tls-server-name", "a b"], "neither a DNS name nor an IP address"),
        (["--tls", "--server", "unix:/run/calculate.sock"], "give the server name"),
        (["--server", "unix:"], "the path is missing"),
        (["--server", "unix:/" + "x" * 200], "the path takes 201 bytes"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    code, err = failure(*arguments)
    assert code == 2
    assert says in err


def test_a_unix_socket_is_called(tmp_path: Path) -> None:
    path: Any = tmp_path / "server.sock"
    with FakeServer(service, path=path) as server:
        assert run("--server", server.address, "9") == (0, "3.0\n", "")
    code, err = failure("--server", f"unix:{path}")
    assert code == 1
    assert f"cannot connect to unix:{path} (connection refused)" in err


def test_a_unix_socket_with_tls_is_called(tmp_path: Path) -> None:
    with FakeServer(echo, path=tmp_path / "server.sock", context=server_context()) as server:
        assert run("--server", server.address, *CA, "--tls-server-name", "localhost", "9") == (0, "9.0\n", "")
