"""The list of instances in force, whatever the registry says: idl/vectors/list.tsv says it exactly. Times are in ms.

A registry that answers with nothing, or with much less than before, or that is not to be reached, is more often in
trouble than all instances are. So what it no longer names stays for a while; who is really gone is found out by calls.
"""

from __future__ import annotations

from collections.abc import Iterable

from ._events import Event
from ._instance import Instance

_HOLD_MS = 2000
_HOLD_MASS_MS = 30_000
_HOLD_RECONNECTED_MS = 5000


class Instances:
    """Every method returns what is to be told."""

    def __init__(self) -> None:
        self.by_id: dict[str, Instance] = {}
        # Whether what is in it may be out of date.
        self.stale = False
        # Who is not in the last read: since when, and for how long it stays.
        self._missing: dict[str, tuple[float, int]] = {}
        self._connected = False
        # When the session came back; None before it was ever lost.
        self._reconnected_at: float | None = None
        self._was_lost = False

    def cached(self, found: Iterable[Instance]) -> list[Event]:
        """What was written down when a client last ran: better than nothing."""
        found = list(found)
        if self.by_id or not found:
            return []
        return self._take(found) + self._go_stale("read from the cache file")

    def read(self, now: float, found: Iterable[Instance]) -> list[Event]:
        """All that the registry has now."""
        found = list(found)
        if not found:
            return [Event("list_empty_ignored", "", f"{len(self.by_id)} are kept")] if self.by_id else []
        before = len(self.by_id)
        events = self._take(found)
        present = {instance.id for instance in found}
        self._missing = {i: self._missing.get(i, (now, _HOLD_MS)) for i in self.by_id if i not in present}
        if 2 * len(self._missing) > before:
            self._missing = {i: (since, _HOLD_MASS_MS) for i, (since, _) in self._missing.items()}
        if self.stale:
            self.stale = False
            events.append(Event("list_fresh", ""))
        return events

    def connected(self, now: float) -> list[Event]:
        """The registry's session is there, for the first time or again."""
        self._connected = True
        if self._was_lost:
            self._reconnected_at = now
        return []

    def lost(self, why: str = "") -> list[Event]:
        """The registry's session is not there."""
        self._connected = False
        self._was_lost = True
        return self._go_stale(why)

    def tick(self, now: float) -> list[Event]:
        """Removes whom it is time for."""
        due = self.next_due()
        if due is None or now < due:
            return []
        gone = sorted(i for i, (since, hold) in self._missing.items() if since + hold <= now)
        for id_ in gone:
            del self.by_id[id_], self._missing[id_]
        return [Event("instance_down", id_, "it is no longer registered") for id_ in gone]

    def failed(self, id_: str) -> list[Event]:
        """A call there failed: who is not registered any more, either, is removed. But never the last one."""
        if not self._connected or id_ not in self._missing or len(self.by_id) == 1:
            return []
        del self.by_id[id_], self._missing[id_]
        return [Event("instance_down", id_, "it is no longer registered, and a call to it failed")]

    def next_due(self) -> float | None:
        """When the next one is removed, if nothing happens before; None when nobody is."""
        if not self._missing or not self._connected:
            return None
        due = min(since + hold for since, hold in self._missing.values())
        return due if self._reconnected_at is None else max(due, self._reconnected_at + _HOLD_RECONNECTED_MS)

    def _take(self, found: list[Instance]) -> list[Event]:
        ups, moved = [], []
        for instance in found:
            known = self.by_id.get(instance.id)
            if known is None or _place(known) != _place(instance):
                ups.append(instance.id)
                if known is not None:
                    moved.append(instance.id)
            self.by_id[instance.id] = instance
        events = [Event("instance_up", id_) for id_ in sorted(ups)]
        return events + [Event("instance_down", id_, "it has another address") for id_ in sorted(moved)]

    def _go_stale(self, why: str) -> list[Event]:
        if self.stale:
            return []
        self.stale = True
        return [Event("list_stale", "", why)]


def _place(instance: Instance) -> tuple[str, int | None, int | None]:
    return instance.address, instance.port, instance.tls_port
