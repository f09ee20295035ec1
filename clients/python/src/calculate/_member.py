"""An instance, and what this client has seen of it."""

from __future__ import annotations

from typing import Generic, TypeVar

from ._instance import WEIGHT, Instance
from ._latency import UNIT_MS, Latency

P = TypeVar("P")

_AVOID_MS = 1000


class Member(Generic[P]):
    """One instance of the list in force. Times are in ms."""

    __slots__ = ("avoided_until", "first_seen", "gone", "id", "in_flight", "instance", "latency", "pool")

    def __init__(self, instance: Instance, first_seen: float | None, pool: P) -> None:
        self.id = instance.id
        self.instance = instance
        # When it came, which begins its warm-up; None for those of the first list.
        self.first_seen = first_seen
        # Its connections.
        self.pool = pool
        self.in_flight = 0
        self.latency = Latency()
        # Until when it is not preferred, as it had too much to do.
        self.avoided_until = 0.0
        # Whether it has left the list; calls in flight go on.
        self.gone = False

    @property
    def weight(self) -> int:
        return self.instance.weight

    def avoid(self, now: float) -> None:
        self.avoided_until = now + _AVOID_MS

    def is_warm(self, now: float, warm_up: int) -> bool:
        return self.first_seen is None or now - self.first_seen >= warm_up

    def effective_weight(self, now: float, warm_up: int) -> int:
        """Its weight, and less during its warm-up."""
        weight = self.instance.weight
        if self.first_seen is None:
            return weight
        age = int(now - self.first_seen)
        if age >= warm_up:
            return weight
        return max(1, weight * max(warm_up, 10 * age) // (10 * warm_up))

    def cost(self, now: float, weight: int) -> int:
        """What one more call would meet, times its effective weight.

        Who has nothing to do costs the same, whatever its weight: the heavier one is drawn more often.
        """
        cost = self.in_flight * WEIGHT + weight
        latency = self.latency
        if latency.ms > UNIT_MS:
            cost *= latency.class_at(now)
        return 2 * cost if now < self.avoided_until else cost
