"""A blocking client's socket with TLS in it: to the connection that uses it, it looks like a plain one."""

from __future__ import annotations

import contextlib
import socket
import threading
from time import monotonic
from typing import Any

from ._readiness import WaitReadable, wait_readable
from ._tls_fault import TlsFault
from ._tls_stream import TlsStream

_READ_BYTES = 65_536
_ENCRYPTED_AT_ONCE = 1_048_576  # bytes; while one thread encrypts, the other cannot decrypt


def shake_hands(sock: socket.socket, stream: TlsStream, deadline: float) -> TlsSocket:
    """Makes TLS on a connected socket. Raises TlsFault, or TimeoutError at ``deadline``."""
    data: bytes | None = None
    while True:
        try:
            done = stream.shake_hands(data)
        except TlsFault:
            with contextlib.suppress(OSError):
                sock.send(stream.outgoing())
            raise
        _limit(sock, deadline)
        with contextlib.suppress(ConnectionError):  # why the server hung up may be there to be read
            sock.sendall(stream.outgoing())
        if done:
            sock.setblocking(False)
            return TlsSocket(sock, stream)
        _limit(sock, deadline)
        try:
            data = sock.recv(_READ_BYTES)
        except ConnectionError:
            data = b""


def _limit(sock: socket.socket, deadline: float) -> None:
    remaining = deadline - monotonic()
    if remaining <= 0:
        raise TimeoutError
    sock.settimeout(remaining)


class TlsSocket:
    """As much of a non-blocking socket as Connection uses. One thread may send while another receives."""

    def __init__(self, sock: socket.socket, stream: TlsStream) -> None:
        self._sock = sock
        self._poll = wait_readable(sock)
        # Guards the rest, as OpenSSL does not; the calls on the socket under it do not block.
        self._lock = threading.Lock()
        self._stream = stream
        # Bytes for the network that it has not taken yet, and how many of the sender's are in them.
        self._outgoing = b""
        self._encrypted = 0

    def send(self, data: bytes) -> int:
        """As socket.send; after a BlockingIOError, ``data`` must begin as it did before."""
        with self._lock:
            if not self._encrypted:
                part = memoryview(data)[:_ENCRYPTED_AT_ONCE]
                self._outgoing += self._stream.send(part)
                self._encrypted = len(part)
            try:
                self._flush()
            except ConnectionError:
                self._raise_last_words()
                raise
            sent, self._encrypted = self._encrypted, 0
            return sent

    def recv(self, size: int) -> bytes:
        """As socket.recv, but for the number of bytes: all that can be decrypted."""
        with self._lock:
            if not self._over:
                plain = self._stream.receive(self._sock.recv(size))
                self._outgoing += self._stream.outgoing()
                with contextlib.suppress(OSError):  # whoever sends next sees it, too
                    self._flush()
                if plain:
                    return plain
            if self._stream.fault is not None:
                raise self._stream.fault
            if self._stream.closed:
                return b""
            raise BlockingIOError

    def wait_readable(self, wait_ms: int) -> Any:
        """As WaitReadable: an end that came with the last data is still to be read."""
        return self._over or self._poll(wait_ms)

    def shutdown(self, how: int) -> None:
        """As socket.shutdown, with a close_notify before it if there is room for that."""
        with self._lock:
            self._outgoing += self._stream.close()
            with contextlib.suppress(OSError):
                self._flush()
        self._sock.shutdown(how)

    def close(self) -> None:
        """As socket.close; nothing is sent."""
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def _over(self) -> bool:
        return self._stream.closed or self._stream.fault is not None

    def _flush(self) -> None:
        while self._outgoing:
            self._outgoing = self._outgoing[self._sock.send(self._outgoing) :]

    def _raise_last_words(self) -> None:
        """Raises what the server said before it went away, if it did."""
        with contextlib.suppress(OSError):
            if data := self._sock.recv(_READ_BYTES):
                self._stream.receive(data)
        if self._stream.fault is not None:
            raise self._stream.fault


AnySocket = socket.socket | TlsSocket


def readable(sock: AnySocket) -> WaitReadable:
    """What waits until there is something to receive."""
    return sock.wait_readable if isinstance(sock, TlsSocket) else wait_readable(sock)
