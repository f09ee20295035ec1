"""TLS to ZooKeeper: kazoo's connections, with the settings, the checks and the words of ours.

kazoo's own TLS trusts the system's authorities besides those of a file, and does not say why a handshake failed.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from kazoo.handlers.threading import SequentialThreadingHandler

from . import _tls_fault
from ._target import Target
from ._tls import Tls, check_context
from ._tls_fault import TlsFault
from ._tls_stream import name_of, names_in_certificate


class TlsHandler(SequentialThreadingHandler):  # type: ignore[misc]
    """Makes connections under TLS; ``failed`` is told when one cannot be, or the server refuses it later."""

    def __init__(self, tls: Tls, failed: Callable[[str], None]) -> None:
        super().__init__()
        self._tls = tls
        self._failed = failed

    def create_connection(
        self, address: tuple[str, int], timeout: float | None = None, hostname: str | None = None, **_kazoos_own: Any
    ) -> Any:
        check_context(self._tls.context)  # again, as it may have been changed
        server = Target(hostname or address[0], address[1])
        name = name_of(server)
        sock = socket.create_connection(address, timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # From here on the socket is the stream's.
        stream = self._tls.context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
        try:
            self._shake_hands(stream, name)
        except BaseException as error:
            stream.close()
            if isinstance(error, TlsFault):
                self._tell(server, error)
            raise
        return _Watched(stream, lambda fault: self._tell(server, fault), self._tls)

    def _tell(self, server: Target, fault: TlsFault) -> None:
        self._failed(f"cannot speak TLS with ZooKeeper at {server}: {in_its_words(fault)}")

    def _shake_hands(self, stream: ssl.SSLSocket, name: str) -> None:
        try:
            stream.do_handshake()
        except ssl.SSLCertVerificationError as error:
            raise _tls_fault.check_failed(error, name, names_in_certificate(stream)) from error
        except (ssl.SSLEOFError, ConnectionError) as error:
            raise _tls_fault.hung_up(b"") from error
        except ssl.SSLError as error:
            greeted = stream.cipher() is not None
            raise _tls_fault.handshake_failed(error, name, b"", greeted, self._tls.has_certificate) from error


class _Watched:
    """A connection whose faults are told: under TLS 1.3 a server refuses a certificate after the handshake."""

    def __init__(self, stream: ssl.SSLSocket, failed: Callable[[TlsFault], None], tls: Tls) -> None:
        self._stream = stream
        self._failed = failed
        self._tls = tls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def recv(self, size: int) -> bytes:
        try:
            return self._stream.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError):
            raise
        except ssl.SSLError as error:
            self._failed(_tls_fault.broken(error, self._tls.has_certificate))
            raise


def in_its_words(fault: TlsFault) -> str:
    """What to do about a registry is not what to do about a server."""
    return (
        str(fault)
        .replace(_tls_fault.PLAIN, "for a plain port, leave zk_tls out")
        .replace(_tls_fault.NAME, "correct the address")
    )
