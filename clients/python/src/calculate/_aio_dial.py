"""Makes an asyncio client's TCP connection within a deadline; ``_dial`` for a running event loop."""

from __future__ import annotations

import asyncio
import socket
from time import monotonic
from typing import Any

from . import _text
from ._target import Target
from .errors import ConnectError, DeadlineExceeded

Address = tuple[Any, ...]  # what socket.getaddrinfo gives


async def aio_dial(target: Target, timeout: float, deadline: float) -> socket.socket:
    """A connected, non-blocking socket with TCP_NODELAY. ``deadline`` is on the clock of time.monotonic().

    Every address of the name is tried in turn, each with a fair share of the time that is left. (The loop's own
    create_connection can race them, but loses sockets when that is cancelled, as of Python 3.11.)
    """
    loop = asyncio.get_running_loop()
    try:
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
    except (OSError, asyncio.TimeoutError) as error:  # TimeoutError is an OSError, and asyncio's since Python 3.11
        if isinstance(error, OSError) and error.errno is not None:
            raise ConnectError(_text.cannot_connect(str(target), error)) from error
        raise DeadlineExceeded(_text.no_time_to_connect(str(target), timeout)) from None


async def _connect(loop: asyncio.AbstractEventLoop, address: Address, timeout: float) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.wait_for(loop.sock_connect(sock, place), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock
