"""TLS between an asyncio connection and its transport: a transport to the one, a protocol to the other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from ._aio_connection import AioConnection
from ._tls_fault import TlsFault
from ._tls_stream import TlsStream

_READ_BYTES = 65_536


async def aio_shake_hands(sock: socket.socket, stream: TlsStream) -> None:
    """Makes TLS on a connected socket. Raises TlsFault."""
    loop = asyncio.get_running_loop()
    data: bytes | None = None
    while True:
        try:
            done = stream.shake_hands(data)
        except TlsFault:
            with contextlib.suppress(OSError):
                sock.send(stream.outgoing())
            raise
        with contextlib.suppress(ConnectionError):  # why the server hung up may be there to be read
            await loop.sock_sendall(sock, stream.outgoing())
        if done:
            return
        try:
            data = await loop.sock_recv(sock, _READ_BYTES)
        except ConnectionError:
            data = b""


class AioTlsLayer(asyncio.Protocol, asyncio.Transport):
    """Encrypts what ``connection`` writes and decrypts what it is given."""

    def __init__(self, connection: AioConnection, sock: socket.socket, stream: TlsStream) -> None:
        """``sock`` is the transport's, after the handshake of ``stream``."""
        super().__init__()
        self._connection = connection
        self._sock = sock
        self._stream = stream
        self._transport: asyncio.Transport

    # What the connection asks of a transport.

    def write(self, data: Any) -> None:
        try:
            encrypted = self._stream.send(data)
        except TlsFault as fault:
            self._connection.fail(fault)
        else:
            self._transport.write(encrypted)

    def abort(self) -> None:
        """Closes at once, with a close_notify if there is room for that."""
        if not self._transport.get_write_buffer_size():  # what is in it is dropped
            with contextlib.suppress(OSError):
                self._sock.send(self._stream.close())
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    # What the transport asks of a protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connection.connection_made(self)

    def data_received(self, data: bytes) -> None:
        stream = self._stream
        plain = stream.receive(data)
        if outgoing := stream.outgoing():
            self._transport.write(outgoing)
        if plain:
            self._connection.data_received(plain)
        if stream.fault is not None:
            self._connection.fail(stream.fault)
        elif stream.closed:
            self._connection.eof_received()

    def eof_received(self) -> None:
        self.data_received(b"")

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:  # the server may have said why, which the transport did not get to read
            with contextlib.suppress(OSError):
                if data := self._sock.recv(_READ_BYTES):
                    self.data_received(data)
        self._connection.connection_lost(error)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()
