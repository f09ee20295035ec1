"""What is set on every TCP connection to a server: the same in every language."""

from __future__ import annotations

import socket

_KEEPALIVE = (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
"""Finds out, while nobody calls, that a server has gone without a word, after half a minute at most: a quarter of a
minute without traffic, then a probe every 5 s, of which none of three is answered. Until then they keep a firewall
from forgetting the connection. Where a system does not know one of them, its own default holds."""


def set_up(sock: socket.socket) -> None:
    """Without delay (what is to leave together is put together here), and kept alive."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
