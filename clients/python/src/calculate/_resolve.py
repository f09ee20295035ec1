"""Who says which instances there are: a list that was typed, or the DNS. (A registry: see ``_registry``.)"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from time import monotonic
from typing import Protocol

from ._instance import Instance
from ._service_target import DnsTarget, ListTarget
from ._target import Target

RESOLVE_S = 10.0
_RESOLVE_GAP_S = 1.0


class Sink(Protocol):
    """Whom a resolver tells, on any thread."""

    def connected(self) -> None:
        """What answers is there, for the first time or again."""

    def lost(self, why: str) -> None:
        """What answers is not there."""

    def read(self, found: Iterable[Instance]) -> None:
        """All that there are."""

    def skipped(self, id_: str, why: str) -> None:
        """Something was there that is no instance."""


class Resolver(Protocol):
    """Finds instances, and tells of them from ``start`` to ``stop``."""

    @property
    def problem(self) -> str:
        """Why nothing was found yet."""

    def start(self, sink: Sink) -> None:
        """Begins; does not wait."""

    def refresh(self) -> None:
        """An instance did not work: is it still there?"""

    def stop(self) -> None:
        """Ends; does not wait, and may be repeated."""

    def join(self, timeout: float) -> None:
        """Waits for the end, not for ever."""

    def forget(self) -> None:
        """In the child of a fork: lets go of what is the parent's."""


class StaticResolver:
    """A list that was typed."""

    problem = ""

    def __init__(self, target: ListTarget) -> None:
        self._servers = target.servers

    def start(self, sink: Sink) -> None:
        sink.connected()
        sink.read(_instances(self._servers))

    def refresh(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def join(self, timeout: float) -> None:
        pass

    def forget(self) -> None:
        pass


def look_up(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system has them; raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class DnsResolver:
    """All addresses of a name, asked for anew now and then, and when one of them fails."""

    def __init__(self, target: DnsTarget) -> None:
        self._server = target.server
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self.problem = f"{target.server.host} was not looked up yet"

    def start(self, sink: Sink) -> None:
        self._thread = threading.Thread(target=self._run, args=(sink,), name="calculate-dns", daemon=True)
        self._thread.start()

    def refresh(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def join(self, timeout: float) -> None:
        # Not the thread: the system's look-up can be neither limited nor interrupted.
        pass

    def forget(self) -> None:
        pass

    def _run(self, sink: Sink) -> None:
        connected = False
        while not self._stopped:
            asked = monotonic()
            self._wake.clear()
            try:
                found = self._ask()
            except OSError as error:
                self.problem = f"cannot look up {self._server.host} ({error.strerror or error})"
                connected = False
                sink.lost(self.problem)
            else:
                if self._stopped:
                    return
                if not connected:
                    connected = True
                    sink.connected()
                sink.read(found)
            self._wake.wait(RESOLVE_S if connected else _RESOLVE_GAP_S)
            # A failing instance may ask for a look-up with every call.
            while not self._stopped and (left := asked + _RESOLVE_GAP_S - monotonic()) > 0:
                self._wake.clear()
                self._wake.wait(left)

    def _ask(self) -> list[Instance]:
        addresses = look_up(*self._server)
        return _instances(Target(address, self._server.port) for address in dict.fromkeys(addresses))


def _instances(servers: Iterable[Target]) -> list[Instance]:
    return [Instance(str(server), server.host, server.port) for server in servers]
