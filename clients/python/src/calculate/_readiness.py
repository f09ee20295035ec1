"""Waiting for a socket, with poll(2) where it exists (select(2) fails on descriptors above 1,023)."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any, Protocol

# Waits up to some milliseconds; what it returns is true when there is something to read, end and error included.
WaitReadable = Callable[[int], Any]


class HasFileno(Protocol):
    """A socket, or what has one inside."""

    def fileno(self) -> int: ...


def wait_readable(sock: HasFileno) -> WaitReadable:
    """What waits until ``sock`` can be read. For one thread at a time."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return poll.poll
    return lambda wait_ms: select.select([sock], [], [], wait_ms / 1000)[0]


def wait_writable(sock: HasFileno, wait_ms: int, *, or_readable: bool) -> None:
    """Returns when the socket can be written (or read, if so asked), or after ``wait_ms``."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLOUT | select.POLLIN if or_readable else select.POLLOUT)
        poll.poll(wait_ms)
    else:
        select.select([sock] if or_readable else [], [sock], [], wait_ms / 1000)
