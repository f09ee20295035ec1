"""Who is called: idl/vectors/balance.tsv says it exactly. No I/O and no clock; times are in ms."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from ._hash import Ring
from ._instance import GROUP, Instance
from ._latency import UNIT_MS
from ._member import Member
from ._random import NextU64, below

Strategy = Literal["least_loaded", "round_robin", "random", "weighted", "hash"]
AnyMember = Member[Any]


class Wanted(NamedTuple):
    """Which instances a client calls."""

    versions: tuple[int, int] | None = None
    """The lowest and the highest version; None for any."""
    group: str = GROUP
    zone: str = ""
    """Where instances are preferred; empty for no preference."""

    def fits(self, instance: Instance) -> bool:
        """Whether it is of the version and the group."""
        if instance.group != self.group:
            return False
        if self.versions is None or instance.versions is None:
            return True
        low, high = self.versions
        return any(low <= version <= high for version in instance.versions)


class Candidates:
    """Who may be called, until the list changes or somebody is ejected or returns."""

    def __init__(self, members: Iterable[AnyMember], wanted: Wanted, out: Collection[str]) -> None:
        fitting = sorted((m for m in members if wanted.fits(m.instance)), key=lambda m: m.id.encode())
        # Those that could be called if they were all well.
        self.enabled = [m for m in fitting if m.instance.enabled and m.weight > 0]
        self.all = [m for m in self.enabled if m.id not in out]
        self.near = _near(fitting, self.all, wanted.zone)
        # Whom to pick from for a call that has not tried anybody.
        self.first = self.near or self.all or self.enabled
        # Whether a call that was tried by one could be tried by another.
        self.several = len(self.enabled) > 1

    def untried(self, tried: Collection[str]) -> list[AnyMember]:
        """Whom to pick from for a call that has tried these; empty when it has tried everybody."""
        if not tried:
            return self.first
        for some in (self.near, self.all, self.enabled):
            left = [member for member in some if member.id not in tried]
            if left:
                return left
        return []

    def are_left(self, tried: Collection[str], picked: str = "") -> bool:
        """Whether there is somebody who is neither among these nor the one picked."""
        return any(member.id != picked and member.id not in tried for member in self.enabled)

    def again(self) -> list[AnyMember]:
        """Whom to pick from for a call that has tried everybody."""
        return self.all or self.enabled


def _near(fitting: list[AnyMember], candidates: list[AnyMember], zone: str) -> list[AnyMember]:
    """The candidates of a zone, unless too many of its instances are out for the others to do all the work."""
    if not zone:
        return []
    near = [member for member in candidates if member.instance.zone == zone]
    whole = sum(member.weight for member in fitting if member.instance.zone == zone)
    return near if 2 * sum(member.weight for member in near) >= whole else []


Pick = Callable[[Sequence[AnyMember], float, bytes | None], AnyMember]
"""One of these members, at this time, for a call with this key. There is one at least; they are ordered by id."""


class Balance:
    """Picks by one strategy."""

    def __init__(self, strategy: Strategy, warm_up: int, next_u64: NextU64, counter: int = 0) -> None:
        self._warm_up = warm_up
        self._next_u64 = next_u64
        self._counter = counter
        # Of the members picked from last, which are the same list until something changes.
        self._weighed: _Weighed | None = None
        self._ring: tuple[Sequence[AnyMember], list[int], Ring] | None = None
        strategies: dict[Strategy, Pick] = {
            "least_loaded": self._least_loaded,
            "round_robin": self._round_robin,
            "random": self._random,
            "weighted": self._weighted,
            "hash": self._hash,
        }
        self.pick = strategies[strategy]

    # Every call is picked for. So what the default strategy mostly does is written out where it is done.

    def _least_loaded(self, members: Sequence[AnyMember], now: float, key: bytes | None = None) -> AnyMember:
        if len(members) == 1:
            return members[0]
        weighed = self._weighed
        if weighed is None or weighed.members is not members or not weighed.lasting:
            weighed = self._weigh(members, now)
        first = bisect_right(weighed.sums, ((self._next_u64() >> 32) * weighed.sum) >> 32)  # weighed.draw()
        a = members[first]
        if not a.in_flight and a.latency.ms <= UNIT_MS and now >= a.avoided_until:
            return a  # it has nothing to do and is fast: nobody costs less, and of lone calls most end here
        weight_a = weighed.weights[first]
        second = weighed.draw_beside(first, self._next_u64)
        b, weight_b = members[second], weighed.weights[second]
        return a if a.cost(now, weight_a) * weight_b <= b.cost(now, weight_b) * weight_a else b

    def _round_robin(self, members: Sequence[AnyMember], now: float, key: bytes | None = None) -> AnyMember:
        if len(members) > 1:
            self._counter += 1
        return members[(self._counter - 1) % len(members)]

    def _random(self, members: Sequence[AnyMember], now: float, key: bytes | None = None) -> AnyMember:
        return members[below(self._next_u64, len(members)) if len(members) > 1 else 0]

    def _weighted(self, members: Sequence[AnyMember], now: float, key: bytes | None = None) -> AnyMember:
        return members[self._weigh(members, now).draw(self._next_u64) if len(members) > 1 else 0]

    def _hash(self, members: Sequence[AnyMember], now: float, key: bytes | None = None) -> AnyMember:
        if key is None or len(members) == 1:
            return self._least_loaded(members, now)
        return self._ring_of(members).pick(members, key)

    def _weigh(self, members: Sequence[AnyMember], now: float) -> _Weighed:
        weighed = self._weighed
        if weighed is None or weighed.members is not members or not weighed.lasting:
            weighed = self._weighed = _Weighed(members, now, self._warm_up)
        return weighed

    def _ring_of(self, members: Sequence[AnyMember]) -> Ring:
        weights = [member.weight for member in members]
        if self._ring is None or self._ring[0] is not members or self._ring[1] != weights:
            self._ring = (members, weights, Ring(members))
        return self._ring[2]


class _Weighed:
    """Members and their effective weights."""

    __slots__ = ("lasting", "members", "sum", "sums", "weights")

    def __init__(self, members: Sequence[AnyMember], now: float, warm_up: int) -> None:
        self.members = members
        self.weights = [member.effective_weight(now, warm_up) for member in members]
        self.lasting = all(member.is_warm(now, warm_up) for member in members)
        self.sums = list(accumulate(self.weights))
        self.sum = self.sums[-1]

    def draw(self, next_u64: NextU64) -> int:
        """The index of the first whose cumulative weight is above a random number."""
        return bisect_right(self.sums, ((next_u64() >> 32) * self.sum) >> 32)  # as below()

    def draw_beside(self, first: int, next_u64: NextU64) -> int:
        """As ``draw``, from the others."""
        sums, weight = self.sums, self.weights[first]
        x = below(next_u64, self.sum - weight)
        return bisect_right(sums, x if x < sums[first] - weight else x + weight)
