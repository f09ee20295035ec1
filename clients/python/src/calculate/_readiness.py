"""Waiting for a socket, with poll(2) where it exists (select(2) fails on descriptors above 1,023)."""

from __future__ import annotations

import select
import socket

_WAIT_MS_MAX = 60_000  # poll(2) counts in an int; callers come back until their deadline has passed


class Readable:
    """Waits until one socket can be read. For one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(sock, select.POLLIN)

    def wait(self, timeout: float) -> bool:
        """Whether there is something to read, end and error included, within ``timeout`` seconds or a minute."""
        if self._poll is not None:
            return bool(self._poll.poll(_milliseconds(timeout)))
        return bool(select.select([self._sock], [], [], _milliseconds(timeout) / 1000)[0])

    def now(self) -> bool:
        """Whether there is something to read already."""
        if self._poll is not None:
            return bool(self._poll.poll(0))
        return bool(select.select([self._sock], [], [], 0)[0])


def wait_writable(sock: socket.socket, timeout: float, *, or_readable: bool) -> None:
    """Returns when the socket can be written (or read, if so asked), or when ``timeout`` seconds have passed."""
    if not hasattr(select, "poll"):
        select.select([sock] if or_readable else [], [sock], [], _milliseconds(timeout) / 1000)
        return
    poll = select.poll()
    poll.register(sock, select.POLLOUT | select.POLLIN if or_readable else select.POLLOUT)
    poll.poll(_milliseconds(timeout))


def _milliseconds(timeout: float) -> int:
    # One more than asked, so that a caller does not come back just before its deadline. A negative number would be
    # for ever.
    return min(int(timeout * 1000) + 1, _WAIT_MS_MAX) if timeout > 0 else 0
