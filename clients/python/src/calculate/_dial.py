"""Makes a blocking client's connection within a deadline."""

from __future__ import annotations

import queue
import socket
import threading
import time
from time import monotonic
from typing import Any

from . import _text
from ._target import Target, UnixTarget
from ._tcp import set_up
from ._tls import Tls
from ._tls_socket import AnySocket, shake_hands
from ._tls_stream import TlsStream
from .errors import ConnectError, DeadlineExceeded

UNIX_RETRY_S = 0.01  # nothing says when there is room in a unix socket's backlog

Address = tuple[Any, ...]  # what socket.getaddrinfo gives


def dial(target: Target | UnixTarget, tls: Tls | None, timeout: float, deadline: float) -> AnySocket:
    """A connected, non-blocking socket, after the TLS handshake if there is to be one.

    ``deadline`` is on the clock of time.monotonic(). Raises ConnectError or DeadlineExceeded, which quotes
    ``timeout``; and ValueError when TLS does not know what the server is called.
    """
    stream = None if tls is None else TlsStream(tls, target)
    sock: socket.socket | None = None
    try:
        sock = _connect_unix(target, deadline) if isinstance(target, UnixTarget) else _connect_any(target, deadline)
        return sock if stream is None else shake_hands(sock, stream, deadline)
    except BaseException as error:
        if sock is not None:
            sock.close()
        if not isinstance(error, OSError):
            raise
        if isinstance(error, TimeoutError) and error.errno is None:  # ours, not the system's ETIMEDOUT
            late = _text.no_time_to_connect if sock is None else _text.no_time_for_handshake
            raise DeadlineExceeded(late(str(target), timeout)) from None
        raise ConnectError(_text.cannot_connect(str(target), error)) from error


def _connect_any(target: Target, deadline: float) -> socket.socket:
    """Every address of the name is tried in turn, each with a fair share of the time that is left."""
    addresses = _look_up(target, deadline)
    while True:
        address = addresses.pop(0)
        share = (deadline - monotonic()) / (len(addresses) + 1)
        try:
            return _connect(address, share)
        except OSError:
            if not addresses:
                raise


def _connect(address: Address, timeout: float) -> socket.socket:
    if timeout <= 0:
        raise TimeoutError
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(timeout)
        sock.connect(place)
        set_up(sock)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_unix(target: UnixTarget, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(target.path)
                return sock
            except BlockingIOError:  # the backlog is full
                if monotonic() + UNIX_RETRY_S > deadline:
                    raise TimeoutError from None
                time.sleep(UNIX_RETRY_S)
    except BaseException:
        sock.close()
        raise


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
