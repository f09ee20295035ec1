"""What cannot be right about TLS is refused before anything is sent, in words that name it."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from certificates import file, pair, trusting

import calculate
from calculate import Tls

pytestmark = pytest.mark.usefixtures("made_certificates")

NO_CERTIFICATES = "it does not hold certificates in PEM form"
NO_KEY = "it does not hold a private key in PEM form"


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, str]:
    """Files with something wrong, by what it is."""
    good = Path(file("alice.pem")).read_text()
    texts = {
        "empty": "",
        "text": "hello\n",
        "cut": good[: len(good) // 2],
        "garbled": good.replace("M", "?"),
        "second": good + good[: len(good) // 2],
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "der").write_bytes(ssl.PEM_cert_to_DER_cert(good))
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", file("alice.key"), "-out", tmp_path / "encrypted", "-passout", "pass:x"],
        check=True,
    )
    return {path.name: str(path) for path in tmp_path.iterdir()}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    for setting, settings in {
        "ca": {"ca": missing},
        "certificate": {"certificate": missing, "key": file("alice.key")},
        "key": {"certificate": file("alice.pem"), "key": missing},
    }.items():
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - all of its text is looked at
            Tls(**settings)  # type: ignore[arg-type]
        assert str(caught.value) == (
            f"tls: the {setting} file {missing!r}: it cannot be read (no such file or directory)"
        )
    with pytest.raises(ValueError, match=r"it cannot be read \(is a directory"):
        Tls(ca=tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    secret.touch(mode=0)
    with pytest.raises(ValueError, match=r"the key file .*secret.key': it cannot be read \(permission denied\)"):
        Tls(certificate=file("alice.pem"), key=secret)


@pytest.mark.parametrize("fault", ["empty", "text", "cut", "garbled", "second", "der"])
def test_a_file_without_certificates_is_named(broken: dict[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=f"the ca file '{broken[fault]}': {NO_CERTIFICATES}"):
        Tls(ca=broken[fault])
    with pytest.raises(ValueError, match=f"the certificate file '{broken[fault]}': {NO_CERTIFICATES}"):
        Tls(certificate=broken[fault], key=file("alice.key"))


@pytest.mark.parametrize("fault", ["empty", "text", "cut", "der"])
def test_a_file_without_a_key_is_named(broken: dict[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=f"the key file '{broken[fault]}': {NO_KEY}"):
        Tls(certificate=file("alice.pem"), key=broken[fault])


def test_a_key_of_another_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bob\.key': it is not the key of the certificate in .*alice\.pem'"):
        Tls(certificate=file("alice.pem"), key=file("bob.key"))


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(broken: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="it is encrypted; decrypt it"):
        Tls(certificate=file("alice.pem"), key=broken["encrypted"])


def test_a_certificate_and_its_key_go_together() -> None:
    with pytest.raises(ValueError, match="the certificate is given without the key"):
        Tls(certificate=file("alice.pem"))
    with pytest.raises(ValueError, match="the key is given without the certificate"):
        Tls(key=file("alice.key"))


def test_paths_may_be_path_objects() -> None:
    Tls(ca=Path(file("ca.pem")), certificate=Path(file("alice.pem")), key=Path(file("alice.key")))


def unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


@pytest.mark.parametrize(
    ("context", "says"),
    [
        (unchecked(), "does not check names; leave its check_hostname on"),
        (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "is a server's"),
        ("ca.pem", "is str; it must be an ssl.SSLContext"),
    ],
)
def test_a_context_that_would_talk_to_anybody_is_refused(context: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Tls(context=context)


def test_a_context_takes_the_place_of_files() -> None:
    for settings in ({"ca": file("ca.pem")}, pair("alice")):
        with pytest.raises(ValueError, match="load the files into the context"):
            Tls(context=ssl.create_default_context(), **settings)


@pytest.mark.parametrize(
    "name", ["", "a b", "localhost:9090", "[::1]", ".local", "a..b", "*.example", "x" * 300, "a\0"]
)
def test_what_no_certificate_can_be_for_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is neither a DNS name nor an IP address"):
        Tls(server_name=name)


def test_what_is_no_tls_is_refused(caller: Any) -> None:
    with pytest.raises(ValueError, match=r"tls is True; use calculate\.Tls"):
        caller.connect("127.0.0.1:1", tls=True)


def test_a_host_that_no_certificate_can_be_for_is_refused(caller: Any) -> None:
    with pytest.raises(ValueError, match="neither a DNS name nor an IP address"):
        caller.connect("a..b:9090", tls=trusting())


def test_what_is_made_never_talks_to_anybody() -> None:
    for tls in (Tls(), trusting(), trusting(**pair("alice"))):
        assert tls.context.check_hostname
        assert tls.context.verify_mode == ssl.CERT_REQUIRED
        assert tls.context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert calculate.Tls is Tls
