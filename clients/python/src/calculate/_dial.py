"""Makes a blocking client's TCP connection within a deadline."""

from __future__ import annotations

import queue
import socket
import threading
from time import monotonic
from typing import Any

from . import _text
from ._target import Target
from .errors import ConnectError, DeadlineExceeded

Address = tuple[Any, ...]  # what socket.getaddrinfo gives


def dial(target: Target, timeout: float, deadline: float) -> socket.socket:
    """A connected, non-blocking socket with TCP_NODELAY. ``deadline`` is on the clock of time.monotonic().

    Every address of the name is tried in turn, each with a fair share of the time that is left.
    """
    try:
        addresses = _look_up(target, deadline)
        while True:
            address = addresses.pop(0)
            share = (deadline - monotonic()) / (len(addresses) + 1)
            try:
                return _connect(address, share)
            except OSError:
                if not addresses:
                    raise
    except OSError as error:
        if isinstance(error, TimeoutError) and error.errno is None:  # ours, not the system's ETIMEDOUT
            raise DeadlineExceeded(_text.no_time_to_connect(str(target), timeout)) from None
        raise ConnectError(_text.cannot_connect(str(target), error)) from error


def _connect(address: Address, timeout: float) -> socket.socket:
    if timeout <= 0:
        raise TimeoutError
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(timeout)
        sock.connect(place)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _look_up(target: Target, deadline: float) -> list[Address]:
    try:
        return socket.getaddrinfo(*target, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _look_up_name(target, deadline)


def _look_up_name(target: Target, deadline: float) -> list[Address]:
    # The system's look-up can be neither limited nor interrupted, so it is left behind in its own thread.
    answers: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(*target, type=socket.SOCK_STREAM)))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name="calculate-look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, deadline - monotonic()))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer
