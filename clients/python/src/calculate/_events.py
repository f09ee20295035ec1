"""What a client tells of its instances and calls, and what it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

EventKind = Literal[
    "instance_up",
    "instance_down",
    "instance_ejected",
    "instance_returned",
    "retry",
    "hedge",
    "list_stale",
    "list_fresh",
    "list_empty_ignored",
    "node_skipped",
]


class Event(NamedTuple):
    """Something that happened to the list of instances, to one of them, or to a call."""

    kind: EventKind
    instance: str
    """The id of the instance it is about; empty for the list."""
    detail: str = ""
    """In words, on one line: why, for how long."""


OnEvent = Callable[[Event], object]


@dataclass
class Counters:
    """How often what has happened since the client was made, but for ``instances``: how many there are now."""

    calls: int = 0
    failures: int = 0
    """Calls that ended with an error that was not the server's answer."""
    retries: int = 0
    retries_denied: int = 0
    """Retries and hedges for which the budget had no token."""
    hedges: int = 0
    ejections: int = 0
    instances: int = 0
    connects: int = 0
