"""Who is not called for a while, as a call to it failed: idl/vectors/health.tsv says it exactly. Times are in ms."""

from __future__ import annotations

from collections.abc import Iterable

from ._random import NextU64, below

_FIRST_MS = 1000
_LONGEST_MS = 30_000
_FORGET_MS = 60_000


class _Record:
    __slots__ = ("ejections", "failed_at", "probed", "until")

    def __init__(self, failed_at: float) -> None:
        self.failed_at = failed_at
        # Consecutive ones: without a minute between two failures.
        self.ejections = 0
        # When it is to be probed; None when it is not ejected.
        self.until: float | None = None
        # Whether somebody is at it.
        self.probed = False


class Health:
    """What is remembered of instances that failed."""

    def __init__(self, next_u64: NextU64) -> None:
        self._next_u64 = next_u64
        self._records: dict[str, _Record] = {}

    def out(self) -> frozenset[str]:
        """The ids of those that are not to be called."""
        return frozenset(id_ for id_, record in self._records.items() if record.until is not None)

    def failed(self, id_: str, now: float, fitting: Iterable[str]) -> float | None:
        """A call failed; for how long that ejects the instance, in ms, or None when it does not.

        ``fitting``: the ids of all that could be called, were all well. No more than half of them are ejected.
        """
        record = self._records.setdefault(id_, _Record(now))
        if now - record.failed_at >= _FORGET_MS:
            record.ejections = 0
        record.failed_at = now
        if record.until is not None:
            return None
        fitting = list(fitting)
        out = sum(1 for each in fitting if (other := self._records.get(each)) and other.until is not None)
        return self._eject(record, now) if out < len(fitting) // 2 else None

    def due(self, now: float) -> list[str]:
        """The ids of those to be probed now: whoever asks does it, and says how it went."""
        due = [
            id_
            for id_, record in self._records.items()
            if record.until is not None and record.until <= now and not record.probed
        ]
        for id_ in due:
            self._records[id_].probed = True
        return due

    def next_due(self) -> float | None:
        """When the next one is to be probed."""
        times = [r.until for r in self._records.values() if r.until is not None and not r.probed]
        return min(times, default=None)

    def probe_failed(self, id_: str, now: float) -> float | None:
        """For how long that ejects it anew; None when it is not known any more."""
        record = self._records.get(id_)
        if record is None or record.until is None:
            return None
        record.failed_at = now
        return self._eject(record, now)

    def probe_well(self, id_: str) -> bool:
        """Whether it may be called again by that: it was ejected."""
        record = self._records.get(id_)
        if record is None or record.until is None:
            return False
        record.until = None
        record.probed = False
        return True

    def forget(self, id_: str) -> None:
        """It has left, or is another one."""
        self._records.pop(id_, None)

    def forget_probes(self) -> None:
        """In the child of a fork: those under way will not end here."""
        for record in self._records.values():
            record.probed = False

    def _eject(self, record: _Record, now: float) -> float:
        record.ejections += 1
        record.probed = False
        length = min(_LONGEST_MS, _FIRST_MS << min(record.ejections - 1, 5))
        length = length * (900 + below(self._next_u64, 201)) // 1000
        record.until = now + length
        return length
