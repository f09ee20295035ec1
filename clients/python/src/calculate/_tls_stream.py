"""One connection's TLS, without I/O: the network's bytes on one side, plain ones on the other.

Shared by the blocking and the asyncio connection. Not thread-safe: its owner guards it.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Any

from . import _tls_fault
from ._target import Target, UnixTarget
from ._tls import Tls, check_context, check_name
from ._tls_fault import TlsFault

_RECORD_BYTES = 16_384  # the most that one record holds (RFC 8446, 5.1), and that OpenSSL gives at once


class TlsStream:
    """A client's TLS to one server. Plain data that came are handed out at once and whole: none wait inside."""

    def __init__(self, tls: Tls, target: Target | UnixTarget) -> None:
        """Raises ValueError when the server has no name that its certificate could be for."""
        check_context(tls.context)  # again, as it may have been changed
        self._name = tls.server_name or name_of(target)
        self._shown = tls.has_certificate
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = tls.context.wrap_bio(self._incoming, self._outgoing, server_hostname=self._name)
        # What the server sent first.
        self._start = b""
        # How it ended: by the server's close_notify, or by a fault. No data come any more then.
        self.closed = False
        self.fault: TlsFault | None = None

    def shake_hands(self, data: bytes | None) -> bool:
        """Takes what was read: None to begin with, nothing at its end. True when the handshake is done.

        Afterwards ``outgoing`` has what to send, also when a TlsRefusal was raised: the alert that tells the server.
        """
        if data == b"":
            raise _tls_fault.hung_up(self._start)
        if data is not None:
            self._start = self._start or data
            self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLCertVerificationError as error:
            raise _tls_fault.check_failed(error, self._name, names_in_certificate(self._tls)) from error
        except ssl.SSLError as error:
            greeted = self._tls.cipher() is not None
            raise _tls_fault.handshake_failed(error, self._name, self._start, greeted, self._shown) from error
        # What came with the last of it must not be left inside.
        if self._decrypt():
            raise _tls_fault.spoke_first()
        if self.closed:
            raise _tls_fault.hung_up(self._start)
        if self.fault is not None:
            raise self.fault
        return True

    def receive(self, data: bytes) -> bytes:
        """Takes what was read, nothing at its end, and gives the plain data in it; then look at the end."""
        if self.closed or self.fault is not None:
            return b""
        if not data:
            self.fault = _tls_fault.cut()
            return b""
        self._incoming.write(data)
        return self._decrypt()

    def send(self, data: bytes | memoryview) -> bytes:
        """The bytes for the network that carry ``data``, behind what else was to be sent."""
        sent = 0
        try:
            while sent < len(data):  # a record at a time
                sent += self._tls.write(memoryview(data)[sent:])
        except ssl.SSLError as error:
            raise _tls_fault.broken(error, self._shown) from error
        return self._outgoing.read()

    def outgoing(self) -> bytes:
        """The bytes for the network that TLS itself has to send, if any."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> bytes:
        """The bytes for the network that end the own side: close_notify, unless TLS has failed."""
        with contextlib.suppress(OSError):  # among them "not done yet", as the server has not answered it
            self._tls.unwrap()
        return self._outgoing.read()

    def _decrypt(self) -> bytes:
        plain: list[bytes] = []
        try:
            while self._incoming.pending or self._tls.pending():
                record = self._tls.read(_RECORD_BYTES)
                if not record:
                    self.closed = True
                    break
                plain.append(record)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as error:
            self.fault = _tls_fault.broken(error, self._shown)
            self.fault.__cause__ = error
        return plain[0] if len(plain) == 1 else b"".join(plain)


def name_of(target: Target | UnixTarget) -> str:
    """The name that the certificate of the server at ``target`` must be for; ``ValueError`` when there is none."""
    if isinstance(target, UnixTarget):
        raise ValueError(f"tls: {target} has no host that the certificate could be for; give the server name")
    # Without the zone of a link-local address (RFC 4007), and without the dot that ends an absolute name.
    name = target.host.partition("%")[0].removesuffix(".")
    check_name(name)
    return name


def names_in_certificate(tls: ssl.SSLObject | ssl.SSLSocket) -> list[str]:
    """The names that the certificate just refused is for."""
    # Python has no public way to them; without the private one, the error does not tell them.
    try:
        connection: Any = tls._sslobj  # type: ignore[union-attr]
        names = connection.get_unverified_chain()[0].get_info()["subjectAltName"]
        return [name for kind, name in names if kind in ("DNS", "IP Address")]
    except (AttributeError, LookupError, TypeError, ValueError):
        return []
