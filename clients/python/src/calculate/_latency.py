"""How long answers take: of one instance (idl/vectors/latency.tsv), and of all, for hedging (retry.tsv)."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

_TAU_MS = 2000.0
_FAILED_MS = 1000.0
UNIT_MS = 4.0
_CLASS_MAX = 4**10
_WINDOW = 1000
_SAMPLES_MIN = 100
_HEDGE_MS_MIN = 1.0


class Latency:
    """A moving average (EWMA) over the last seconds, in which one slow answer among many counts for little.

    One that jumps to each peak (Finagle's) would keep who paused once from being called for as long as it falls.
    """

    __slots__ = ("_at", "ms")

    def __init__(self) -> None:
        # As of the last answer; None before the first.
        self._at: float | None = None
        self.ms = 0.0

    def add(self, now: float, ms: float) -> None:
        """An answer came that took ``ms``. Times are in ms."""
        if self._at is None:
            self.ms = ms
        elif now > self._at:
            self.ms = ms + (self.ms - ms) * math.exp((self._at - now) / _TAU_MS)
        self._at = now

    def add_failure(self, now: float, ms: float) -> None:
        """An attempt failed after ``ms``, which counts as a second, or as longer: others are called first."""
        self.ms = max(self.ms, ms, _FAILED_MS)
        self._at = now

    def at(self, now: float) -> float:
        """The latency to expect, in ms: the less, the longer nothing was heard."""
        return 0.0 if self._at is None else self.ms * math.exp(-max(0.0, now - self._at) / _TAU_MS)

    def class_at(self, now: float) -> int:
        """The smallest power of four, from 1 to 4^10, that is not less than a quarter of the latency to expect.

        What is below 4 ms is noise, and so is what is below a factor of four.
        """
        units = self.at(now) / UNIT_MS
        class_ = 1
        while class_ < units and class_ < _CLASS_MAX:
            class_ *= 4
        return class_


class Percentile:
    """The 95th percentile of the last 1,000 latencies."""

    def __init__(self) -> None:
        self._last: deque[float] = deque()
        self._sorted: list[float] = []

    def add(self, ms: float) -> None:
        if len(self._last) == _WINDOW:
            del self._sorted[bisect_left(self._sorted, self._last.popleft())]
        self._last.append(ms)
        insort(self._sorted, ms)

    def p95(self) -> float | None:
        """In ms, at least 1; None before there are 100 latencies."""
        count = len(self._sorted)
        if count < _SAMPLES_MIN:
            return None
        return max(_HEDGE_MS_MIN, self._sorted[(count * 95 + 99) // 100 - 1])
