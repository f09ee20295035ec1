"""Consistent hashing with bounded loads: idl/vectors/hash.tsv says it exactly."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

_MASK = 2**64 - 1


def hash64(data: bytes) -> int:
    """FNV-1a of 64 bits, and the finalizer of MurmurHash3 behind it."""
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & _MASK
    h ^= h >> 33
    h = (h * 0xFF51AFD7ED558CCD) & _MASK
    h ^= h >> 33
    h = (h * 0xC4CEB9FE1A85EC53) & _MASK
    return h ^ (h >> 33)


def points(weight: int) -> int:
    """How many points of the ring an instance of this weight has."""
    return max(1, (weight * 40 + 50) // 100)


class Hashed(Protocol):
    """What lies on a ring."""

    in_flight: int

    @property
    def id(self) -> str: ...

    @property
    def weight(self) -> int: ...


H = TypeVar("H", bound=Hashed)


class Ring:
    """The points of some members, whose weights must not change."""

    def __init__(self, members: Sequence[Hashed]) -> None:
        places: dict[int, int] = {}
        # The lower id is put last, and stays where two points collide.
        for index in sorted(range(len(members)), key=lambda i: members[i].id.encode(), reverse=True):
            for k in range(points(members[index].weight)):
                places[hash64(f"{members[index].id}#{k}".encode())] = index
        self.points = sorted(places)
        self._owners = [places[point] for point in self.points]
        self._weights = sum(member.weight for member in members)

    def pick(self, members: Sequence[H], key: bytes) -> H:
        """Of the members that the ring was made of, the one that the key belongs to, if it has not too much to do."""
        budget = 5 * (sum(member.in_flight for member in members) + 1)
        whole = 4 * self._weights
        first: H | None = None
        for index in self.clockwise(hash64(key)):
            member = members[index]
            if member.in_flight + 1 <= (budget * member.weight + whole - 1) // whole:
                return member
            if first is None:
                first = member
        assert first is not None
        return first

    def clockwise(self, place: int) -> Iterator[int]:
        """The owners of the points from ``place`` on, each once."""
        start = bisect_left(self.points, place)
        seen: set[int] = set()
        for step in range(len(self._owners)):
            owner = self._owners[(start + step) % len(self._owners)]
            if owner not in seen:
                seen.add(owner)
                yield owner
