"""Servers that say exactly what a test wants, byte by byte, and the bytes themselves, written by Apache's library."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport.TTransport import TMemoryBuffer

from calculate._gen import Calculate
from calculate._gen.ttypes import DomainError, Number

PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol}
ARGS: dict[str, Any] = {"Square": Calculate.Square_args, "Cal": Calculate.Cal_args}
RESULTS: dict[str, Any] = {"Square": Calculate.Square_result, "Cal": Calculate.Cal_result}
PATIENCE_S = 20.0  # a test that waits longer has failed


class Request(NamedTuple):
    name: str
    seqid: int
    value: float
    service: str = ""
    """That a multiplexed server was asked for."""


def message(name: str, kind: int, seqid: int, body: Any, protocol: str = "binary") -> bytes:
    buffer = TMemoryBuffer()
    out = PROTOCOLS[protocol](buffer)
    out.writeMessageBegin(name, kind, seqid)
    body.write(out)
    out.writeMessageEnd()
    content: bytes = buffer.getvalue()
    return content


def frame(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


def reply(name: str, seqid: int, value: float, protocol: str = "binary") -> bytes:
    """An unframed answer."""
    return message(name, TMessageType.REPLY, seqid, RESULTS[name](success=Number(value=value)), protocol)


def answer(request: Request, value: float | None = None) -> bytes:
    """A framed binary answer to ``request``: ``value``, or the number that the call brought."""
    return frame(reply(request.name, request.seqid, request.value if value is None else value))


def domain_error(request: Request, text: str = "Square is not defined for -4") -> bytes:
    result = Calculate.Square_result(error=DomainError(message=text, value=request.value))
    return frame(message(request.name, TMessageType.REPLY, request.seqid, result))


def exception(request: Request, code: int, text: str) -> bytes:
    body = TApplicationException(code, text)
    return frame(message(request.name, TMessageType.EXCEPTION, request.seqid, body))


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE_S)
        if sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = sock.makefile("rb")

    def read_call(self) -> Request:
        """The next framed binary call; EOFError at the end of the connection."""
        return decode_call(self.read_frame())

    def read_frame(self) -> bytes:
        """What is in the next frame; EOFError at the end of the connection."""
        head = self._stream.read(4)
        if len(head) < 4:
            raise EOFError
        return self._stream.read(struct.unpack(">i", head)[0])

    def read_calls(self, count: int) -> list[Request]:
        return [self.read_call() for _ in range(count)]

    def send(self, *parts: bytes) -> None:
        self.sock.sendall(b"".join(parts))

    def wait_closed(self) -> None:
        """Returns when the client has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while self._stream.read(1):
                pass

    def close(self) -> None:
        self._stream.close()
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.setblocking(False)
            with contextlib.suppress(OSError):  # it sends close_notify, and does not wait for the client's
                self.sock.unwrap()
        self.sock.close()


def decode_call(content: bytes, protocol: str = "binary") -> Request:
    buffer = TMemoryBuffer(content)
    source = PROTOCOLS[protocol](buffer)
    full_name, kind, seqid = source.readMessageBegin()
    assert kind == TMessageType.CALL
    service, _, name = full_name.rpartition(":")
    args: Any = ARGS[name]()
    args.read(source)
    return Request(name, seqid, args.number.value, service)


Script = Callable[[Peer], None]


class FakeServer:
    """Serves the first connection by the first script, and so on; the last script serves all others.

    A script's end closes its connection. A script that raises fails the test, unless its client went away.
    With a ``context`` the server speaks TLS, with a ``path`` on a unix socket.
    """

    def __init__(self, *scripts: Script, context: ssl.SSLContext | None = None, path: Path | None = None) -> None:
        self._scripts = scripts
        self._context = context
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{self.port}"
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen()
            self.address = f"unix:{path}"
        self.connections = 0
        # Why TLS handshakes failed, if any did.
        self.refused: list[str] = []
        self._socks: list[socket.socket] = []
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._socks.append(sock)
            thread = threading.Thread(target=self._serve, args=(script, sock), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, script: Script, sock: socket.socket) -> None:
        if self._context is not None:
            sock.settimeout(PATIENCE_S)
            try:
                sock = self._context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
            except OSError as error:
                self.refused.append(getattr(error, "reason", None) or str(error))
                sock.close()
                return
            self._socks.append(sock)
        peer = Peer(sock)
        try:
            script(peer)
        except (EOFError, ConnectionError):
            pass
        except BaseException as error:
            self._failures.append(error)
        finally:
            peer.close()

    def __enter__(self) -> FakeServer:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # an SSLSocket's own would drop its TLS as well
        for thread in self._threads:
            thread.join(PATIENCE_S)
        if error is None and self._failures:
            raise self._failures[0]


def echo(peer: Peer) -> None:
    """Answers each call with the number that it brought."""
    while True:
        peer.send(answer(peer.read_call()))


def silent(peer: Peer) -> None:
    """Reads and never answers."""
    peer.wait_closed()


def hang_up(peer: Peer) -> None:
    """Closes at once."""
