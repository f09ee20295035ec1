"""Makes an asyncio client's connection within a deadline; ``_dial`` for a running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from time import monotonic

from . import _text
from ._aio_tls import aio_shake_hands
from ._dial import UNIX_RETRY_S, Address
from ._target import Target, UnixTarget
from ._tcp import set_up
from ._tls_stream import TlsStream
from .errors import ConnectError, DeadlineExceeded

LateText = Callable[[str, float], str]


async def aio_dial(target: Target | UnixTarget, timeout: float, deadline: float) -> socket.socket:
    """A connected, non-blocking socket. As ``dial``, but for TLS."""
    with _translated(str(target), _text.no_time_to_connect, timeout):
        if isinstance(target, UnixTarget):
            return await _connect_unix(target, deadline)
        return await _connect_any(target, deadline)


async def aio_secure(sock: socket.socket, stream: TlsStream, server: str, timeout: float, deadline: float) -> None:
    """The TLS handshake on the socket, which is closed when that fails. The rest of ``dial``."""
    try:
        with _translated(server, _text.no_time_for_handshake, timeout):
            await asyncio.wait_for(aio_shake_hands(sock, stream), deadline - monotonic())
    except BaseException:
        sock.close()
        raise


@contextlib.contextmanager
def _translated(server: str, late: LateText, timeout: float) -> Iterator[None]:
    try:
        yield
    except (OSError, asyncio.TimeoutError) as error:  # TimeoutError is an OSError, and asyncio's since Python 3.11
        ours = isinstance(error, asyncio.TimeoutError) and getattr(error, "errno", None) is None
        if isinstance(error, OSError) and not ours:
            raise ConnectError(_text.cannot_connect(server, error)) from error
        raise DeadlineExceeded(late(server, timeout)) from None


async def _connect_any(target: Target, deadline: float) -> socket.socket:
    """Every address of the name is tried in turn, each with a fair share of the time that is left.

    (The loop's own create_connection can race them, but loses sockets when that is cancelled, as of Python 3.11.)
    """
    loop = asyncio.get_running_loop()
    look_up = loop.getaddrinfo(*target, type=socket.SOCK_STREAM)
    addresses = await asyncio.wait_for(look_up, deadline - monotonic())
    while True:
        address = addresses.pop(0)
        share = (deadline - monotonic()) / (len(addresses) + 1)
        try:
            return await _connect(loop, address, share)
        except (OSError, asyncio.TimeoutError):
            if not addresses:
                raise


async def _connect(loop: asyncio.AbstractEventLoop, address: Address, timeout: float) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.wait_for(loop.sock_connect(sock, place), timeout)
        set_up(sock)
    except BaseException:
        sock.close()
        raise
    return sock


async def _connect_unix(target: UnixTarget, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        while True:
            try:
                # Either at once or not at all; and the loop's own sock_connect takes a full backlog for a connection.
                sock.connect(target.path)
                return sock
            except BlockingIOError:
                if monotonic() + UNIX_RETRY_S > deadline:
                    raise asyncio.TimeoutError from None
                await asyncio.sleep(UNIX_RETRY_S)
    except BaseException:
        sock.close()
        raise
