"""What may be set for calls to several servers, and the defaults: the same in every language."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal, get_args

from ._balance import Strategy
from ._events import OnEvent
from ._tls import Tls

Hedge = Literal["off", "p95"]

ATTEMPTS_MAX = 3
_CONNECTIONS_MAX = 64
_SECONDS_MAX = 1_000_000


@dataclass(frozen=True)
class Balancing:
    """How calls are spread over several servers; give it to ``connect`` as ``balancing``. All has a default.

    Raises ValueError that says which setting cannot be right.
    """

    balance: Strategy = "least_loaded"
    """``least_loaded``: of two drawn by weight the one with less to do and the faster answers. ``round_robin``,
    ``random``, ``weighted``. ``hash``: calls with the same ``key`` go to the same server, as long as it is there and
    has not too much to do."""
    zone: str = ""
    """Servers of this zone are preferred, as long as at least half of it is well. A zone in the target goes before."""
    attempts: int = 3
    """How often a call is tried, 1 to 3: again and elsewhere only when that does no harm, and while few calls fail."""
    attempt_timeout: float = 1.0
    """In seconds, for an attempt that another one could follow; the call's time-out limits all of them."""
    hedge: Hedge = "off"
    """``p95``: what takes longer than 95 of 100 answers is asked of a second server, too; the first answer counts."""
    connections_per_instance: int = 1
    warm_up: float = 1.0
    """In seconds: a server that comes new gets its full share of the calls after this."""
    idle_close: float = 60.0
    """In seconds: a connection without calls is closed after this."""
    max_connection_age: float = 600.0
    """In seconds, give or take a tenth: a connection is replaced after this."""
    cache_file: str | os.PathLike[str] | None = None
    """Where the last list is kept for a start without the registry. By default, and only for zk://,
    ``calculate/HASH.json`` in ``$XDG_CACHE_HOME`` or ``~/.cache``; "" for none."""
    zk_auth: str | None = field(default=None, repr=False)
    """``USER:PASSWORD``, for ZooKeeper's digest scheme."""
    zk_tls: Tls | None = None
    """Whether ZooKeeper is spoken to under TLS, and how. Its certificate must be for its host, so no server name can be
    given. Default: it is not."""
    on_event: OnEvent | None = None
    """Is called with each ``Event``, on a thread of the client's (with asyncio: on the event loop); must be quick."""

    def __post_init__(self) -> None:
        _check_one_of("balance", self.balance, get_args(Strategy))
        _check_one_of("hedge", self.hedge, get_args(Hedge))
        _check_count("attempts", self.attempts, ATTEMPTS_MAX)
        _check_count("connections_per_instance", self.connections_per_instance, _CONNECTIONS_MAX)
        _check_seconds("attempt_timeout", self.attempt_timeout)
        _check_seconds("idle_close", self.idle_close)
        _check_seconds("max_connection_age", self.max_connection_age)
        _check_seconds("warm_up", self.warm_up, or_zero=True)
        if self.zk_auth is not None and not self.zk_auth.partition(":")[1]:
            raise ValueError("zk_auth has no colon; write USER:PASSWORD")
        if self.zk_tls is not None and self.zk_tls.server_name is not None:
            raise ValueError("zk_tls: a registry's certificate must be for its host; leave the server name out")


def _check_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} {value!r} is not known; use {', '.join(map(repr, known))}")


def _check_count(name: str, value: int, most: int) -> None:
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"{name} is {value!r}; use a whole number from 1 to {most}")


def _check_seconds(name: str, value: float, *, or_zero: bool = False) -> None:
    if not (0 < value <= _SECONDS_MAX or (or_zero and value == 0)):
        raise ValueError(f"{name} is {value!r}; use a positive number of seconds, up to {_SECONDS_MAX}")
