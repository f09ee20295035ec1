"""The instances of one service as one client sees them: the list in force, their health, the calls in flight.

A resolver tells it of the list, the calls tell it how they went, and a Discovery lets time pass. No I/O; a lock guards
all. Times are in ms, on a clock that only goes forward.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from . import _text
from ._balance import Balance, Candidates, Wanted
from ._balancing import Balancing
from ._events import Counters, Event, EventKind
from ._health import Health
from ._instance import Instance
from ._instances import Instances
from ._latency import Latency, Percentile
from ._member import Member
from ._random import NextU64
from ._retry import FAILURES, TOKENS_MAX, Budget, Outcome, back_off_us
from ._target import Target
from .errors import ConnectError

log = logging.getLogger("calculate")
log.addHandler(logging.NullHandler())


class Connections(Protocol):
    """The connections to one instance, as far as a Cluster is concerned with them. Of any thread."""

    connected_at: float
    """When the last one was made, on the clock of time.monotonic()."""
    version: int | None
    """Of the service, by whose name the instance is called; None: by the plain name."""

    def retire(self) -> None:
        """They end with the last of their calls."""


P = TypeVar("P", bound=Connections)


Picked = tuple[Member[P], bool, bool]
"""Whom a call goes to; whether there is somebody whom it has not tried; whether there is a token for a retry."""


class Cluster(Generic[P]):
    """All of its methods may be called by any thread; events are told when the lock is free again."""

    def __init__(
        self,
        service: str,
        balancing: Balancing,
        wanted: Wanted,
        make_pool: Callable[[Target, Callable[[], object]], P],
        clock: Callable[[], float],
        next_u64: NextU64,
        *,
        tls: bool,
    ) -> None:
        self.service = service
        self.counters = Counters()
        # Called, without the lock, when something is to be done at another time than was said before.
        self.on_change: Callable[[], object] = lambda: None
        # Called, without the lock, when a call to an instance failed.
        self.on_failure: Callable[[], object] = lambda: None
        self.balancing = balancing
        self._wanted = wanted
        self._make_pool = make_pool
        self._clock = clock
        self._next_u64 = next_u64
        self._tls = tls
        self._lock = threading.Lock()
        self._instances = Instances()
        self._members: dict[str, Member[P]] = {}
        # Instances that this client cannot call, of which that was said.
        self._unusable: dict[str, Instance] = {}
        self._health = Health(next_u64)
        self._balance = Balance(balancing.balance, round(balancing.warm_up * 1000), next_u64)
        self._budget = Budget(clock())
        self._percentile = Percentile() if balancing.hedge != "off" else None
        # Until something changes.
        self._candidates: Candidates | None = None
        # Goes up when the list may have changed.
        self.revision = 0
        self._when_ready: list[Callable[[], object]] = []

    # What a resolver tells.

    def connected(self) -> None:
        with self._lock:
            events = self._instances.connected(self._clock())
        self._tell(events)
        self.on_change()

    def lost(self, why: str) -> None:
        with self._lock:
            events = self._instances.lost(why)
        self._tell(events)

    def read(self, found: Iterable[Instance]) -> None:
        with self._lock:
            now = self._clock()
            events = self._changed(now, self._instances.read(now, found))
            ready = self._take_ready()
        self._tell(events, ready)
        self.on_change()

    def cached(self, found: Iterable[Instance]) -> None:
        with self._lock:
            events = self._changed(self._clock(), self._instances.cached(found))
            ready = self._take_ready()
        self._tell(events, ready)

    def skipped(self, id_: str, why: str) -> None:
        """A node of the registry is no instance."""
        self._tell([Event("node_skipped", id_, why)])

    # What a Discovery does.

    def tick(self) -> list[Member[P]]:
        """Lets time pass; returns whom to probe."""
        with self._lock:
            now = self._clock()
            events = self._instances.tick(now)
            if events:
                events = self._changed(now, events)
            due = [self._members[id_] for id_ in self._health.due(now)]
        self._tell(events)
        return due

    def next_due(self) -> float | None:
        """When to call ``tick`` the next time."""
        with self._lock:
            times = [self._instances.next_due(), self._health.next_due()]
        return min((time for time in times if time is not None), default=None)

    def probed(self, member: Member[P], *, well: bool) -> None:
        """How a probe went."""
        with self._lock:
            if self._members.get(member.id) is not member:
                return
            if not well:
                length = self._health.probe_failed(member.id, self._clock())
                events = self._ejected(member, length, "a probe failed")
            elif self._health.probe_well(member.id):
                self._candidates = None
                member.latency = Latency()
                events = [Event("instance_returned", member.id)]
            else:
                events = []
        self._tell(events)

    def members(self) -> list[Member[P]]:
        with self._lock:
            return list(self._members.values())

    def listed(self) -> list[Instance]:
        """The list in force."""
        with self._lock:
            return list(self._instances.by_id.values())

    # What calls do.

    def when_ready(self, callback: Callable[[], object]) -> None:
        """Calls back once there is an instance in the list, at once if there is."""
        with self._lock:
            self._when_ready.append(callback)
            ready = self._take_ready()
        self._tell([], ready)

    def begin(self, now: float, key: bytes | None) -> Picked[P]:
        """A call begins: whom its first attempt goes to. As ``pick``, in one go, as every call does this."""
        with self._lock:
            self.counters.calls += 1
            token = self._budget.tokens == TOKENS_MAX or self._budget.call(now)
            candidates = self._candidates or self._current()
            if not candidates.first:
                raise self._nobody()
            member: Member[P] = self._balance.pick(candidates.first, now, key)
            member.in_flight += 1
            return member, candidates.several, token

    def pick(self, tried: Collection[str], key: bytes | None) -> Picked[P]:
        """Whom the next attempt goes to, which ``done`` gives back. Raises ConnectError when there is nobody."""
        with self._lock:
            now = self._clock()
            candidates = self._current()
            some = candidates.untried(tried) or candidates.again()
            if not some:
                raise self._nobody()
            member: Member[P] = self._balance.pick(some, now, key)
            member.in_flight += 1
            return member, candidates.are_left(tried, member.id), self._budget.has_token(now)

    def answered(self, member: Member[P], now: float, took: float) -> None:
        """As ``done``, for a call that was answered at once, without a thought of hedging: nearly all are."""
        with self._lock:
            member.in_flight -= 1
            member.latency.add(now, took)
            finished = member.gone and member.in_flight == 0
        if finished:
            member.pool.retire()

    def done(
        self, member: Member[P], outcome: Outcome | None, took: float, *, why: str = "", blame: bool = False
    ) -> None:
        """An attempt has ended, in ``took`` ms; None when nobody waited for its end.

        ``blame``: also for an outcome that is not always the instance's fault.
        """
        events: list[Event] = []
        failed = blame or outcome in FAILURES
        with self._lock:
            now = self._clock()
            member.in_flight -= 1
            if failed:
                member.latency.add_failure(now, took)
            elif outcome == "answered":
                member.latency.add(now, took)
            if outcome == "answered" and self._percentile is not None:
                self._percentile.add(took)
            if outcome == "overloaded":
                member.avoid(now)
            if failed and self._members.get(member.id) is member:
                events = self._blamed(member, now, why)
            finished = member.gone and member.in_flight == 0
        if finished:
            member.pool.retire()
        if failed:
            self._tell(events)
            self.on_failure()

    def others(self, tried: Collection[str]) -> bool:
        """Whether there is somebody to call who is not among these."""
        with self._lock:
            return self._current().are_left(tried)

    def retry(self, number: int, remaining: float, failed: str, why: str) -> float | None:
        """Takes a token for the first, second … retry of a call; how long to wait before it, in s.

        None when there is no token, or when the wait would be as long as what remains of the deadline, in s.
        """
        with self._lock:
            wait = back_off_us(self._next_u64, number) / 1e6
            if wait >= remaining:
                return None
            if not self._budget.take(self._clock()):
                self.counters.retries_denied += 1
                return None
            self.counters.retries += 1
        self._tell([Event("retry", failed, why)])
        return wait

    def hedge_after(self) -> float | None:
        """After how many ms a call is to be hedged; None for not at all."""
        with self._lock:
            return None if self._percentile is None else self._percentile.p95()

    def hedge(self, slow: str) -> bool:
        """Takes a token for a hedge; false when there is none."""
        with self._lock:
            if not self._budget.take(self._clock()):
                self.counters.retries_denied += 1
                return False
            self.counters.hedges += 1
        self._tell([Event("hedge", slow)])
        return True

    def failed(self) -> None:
        """A call ended with an error that was no answer."""
        with self._lock:
            self.counters.failures += 1

    def connect_made(self) -> None:
        with self._lock:
            self.counters.connects += 1

    def snapshot(self) -> Counters:
        """The counters of now."""
        with self._lock:
            return replace(self.counters, instances=len(self._instances.by_id))

    def forget(self) -> None:
        """In the child of a fork: lets go of a lock that no thread will release, and of calls that nobody waits for."""
        self._lock = threading.Lock()
        for member in self._members.values():
            member.in_flight = 0
        self._health.forget_probes()

    # With the lock held.

    def _changed(self, now: float, events: list[Event]) -> list[Event]:
        """Makes the members those of the list."""
        first = not self._members
        listed = self._instances.by_id
        gone = [member for id_, member in self._members.items() if id_ not in listed]
        for instance in listed.values():
            member = self._members.get(instance.id)
            target = instance.target(tls=self._tls)
            if target is None:
                if self._unusable.get(instance.id) != instance:
                    self._unusable[instance.id] = instance
                    events.append(Event("node_skipped", instance.id, _text.unusable(tls=self._tls)))
                if member is not None:
                    gone.append(member)
            elif member is None or member.instance.target(tls=self._tls) != target:
                if member is not None:
                    gone.append(member)
                pool = self._make_pool(target, self.connect_made)
                self._members[instance.id] = Member(instance, None if first else now, pool)
            else:
                member.instance = instance
        for member in self._members.values():
            member.pool.version = member.instance.called_version(self._wanted.versions)
        for member in gone:
            self._let_go(member)
        for id_ in self._unusable.keys() - listed.keys():
            del self._unusable[id_]
        self._candidates = None
        self.revision += 1
        return events

    def _let_go(self, member: Member[P]) -> None:
        member.gone = True
        if self._members.get(member.id) is member:
            del self._members[member.id]
        self._health.forget(member.id)
        member.pool.retire()

    def _blamed(self, member: Member[P], now: float, why: str) -> list[Event]:
        removed = self._instances.failed(member.id)
        if removed:
            return self._changed(now, removed)
        fitting = [each.id for each in self._current().enabled]
        return self._ejected(member, self._health.failed(member.id, now, fitting), why)

    def _ejected(self, member: Member[P], length: float | None, why: str) -> list[Event]:
        if length is None:
            return []
        self._candidates = None
        self.counters.ejections += 1
        return [Event("instance_ejected", member.id, f"for {length / 1000:.3g} s: {why}")]

    def _current(self) -> Candidates:
        if self._candidates is None:
            self._candidates = Candidates(self._members.values(), self._wanted, self._health.out())
        return self._candidates

    def _nobody(self) -> ConnectError:
        """The error of a call that nobody can be asked."""
        self.counters.failures += 1
        fitting = sum(1 for member in self._members.values() if self._wanted.fits(member.instance))
        known, usable = len(self._instances.by_id), len(self._members)
        return ConnectError(_text.no_instance(self.service, known, usable, fitting, tls=self._tls))

    def _take_ready(self) -> list[Callable[[], object]]:
        if not self._instances.by_id:
            return []
        ready, self._when_ready = self._when_ready, []
        return ready

    # Without it.

    def _tell(self, events: list[Event], ready: list[Callable[[], object]] | None = None) -> None:
        if events:
            self.on_change()
        for event in events:
            log.log(_LEVELS.get(event.kind, logging.DEBUG), "%s: %s %s: %s", self.service, *event)
            if self.balancing.on_event is not None:
                try:
                    self.balancing.on_event(event)
                except Exception:
                    log.exception("%s: on_event failed", self.service)
        for callback in ready or ():
            callback()


_LEVELS: dict[EventKind, int] = {
    "instance_ejected": logging.WARNING,
    "list_stale": logging.WARNING,
    "list_empty_ignored": logging.WARNING,
    "node_skipped": logging.WARNING,
    "instance_up": logging.INFO,
    "instance_down": logging.INFO,
    "instance_returned": logging.INFO,
    "list_fresh": logging.INFO,
}
