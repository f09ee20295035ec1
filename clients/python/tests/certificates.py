"""The certificates of target/certs (``make certs``, examples/certs.rs), and contexts of servers that show them."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import calculate

_ROOT = Path(__file__).resolve().parents[3]
_FOLDER = _ROOT / "target" / "certs"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def make() -> None:
    """Makes them when they are missing."""
    if not (_FOLDER / "ca.pem").exists():
        subprocess.run(["make", "--silent", "certs"], cwd=_ROOT, check=True)


def file(name: str) -> str:
    return str(_FOLDER / name)


def pair(name: str) -> dict[str, str]:
    """The settings that show this certificate."""
    return {"certificate": file(f"{name}.pem"), "key": file(f"{name}.key")}


def trusting(**settings: str) -> calculate.Tls:
    """A client's settings that trust the authority of the certificates."""
    return calculate.Tls(ca=file("ca.pem"), **settings)  # type: ignore[arg-type]


def server_context(
    name: str = "server", *, version: ssl.TLSVersion | None = None, client_ca: str | None = None
) -> ssl.SSLContext:
    """Of a server that shows the certificate ``name``, and wants one that ``client_ca`` has signed if that is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file(f"{name}.pem"), file(f"{name}.key"))
    # Python sets it; without it, a client that goes without a close_notify is an error.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(file(f"{client_ca}.pem"))
    return context
