"""Keeps a Cluster going: a resolver that finds instances, and a thread that lets time pass, probes and tidies up.

The same for the blocking and the asyncio client, on threads of its own.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Generic

from . import _text
from ._balance import Wanted
from ._balancing import Balancing
from ._cache import cache_of
from ._cluster import Cluster, P
from ._member import Member
from ._options import Options
from ._probe import PROBE_S, probe
from ._random import system_u64
from ._resolve import DnsResolver, Resolver, StaticResolver
from ._service_target import DnsTarget, ListTarget, ZooKeeperTarget
from ._target import Target

ServiceTarget = ListTarget | DnsTarget | ZooKeeperTarget
REGISTRY_PATIENCE_S = 1.0
"""How long a start waits for the registry before it goes on with what a file has."""

_SWEEP_S = 1.0
_STORE_S = 1.0
_JOIN_S = 2.0


def now_ms() -> float:
    """The clock of balancing: it only goes forward."""
    return monotonic() * 1000


def make_cluster(
    service: str,
    target: ServiceTarget,
    options: Options,
    balancing: Balancing,
    make_pool: Callable[[Target, Callable[[], object]], P],
) -> Cluster[P]:
    """The instances of ``service``, which is ``target``, none of them known yet."""
    wanted = Wanted(zone=balancing.zone)
    if isinstance(target, ZooKeeperTarget):
        wanted = Wanted(target.versions, target.group, target.zone or balancing.zone)
    return Cluster(service, balancing, wanted, make_pool, now_ms, system_u64, tls=options.tls is not None)


def options_for(target: ServiceTarget, options: Options) -> Options:
    """The options of connections to the instances: under TLS those of a name must have a certificate for the name."""
    if not isinstance(target, DnsTarget) or options.tls is None or options.tls.server_name is not None:
        return options
    tls = copy.copy(options.tls)
    tls.server_name = target.server.host
    return replace(options, tls=tls)


def make_resolver(target: ServiceTarget, balancing: Balancing) -> Resolver:
    """Who finds the instances of a target."""
    if isinstance(target, ListTarget):
        return StaticResolver(target)
    if isinstance(target, DnsTarget):
        return DnsResolver(target)
    from ._registry import ZooKeeperResolver  # kazoo is for those who need it

    return ZooKeeperResolver(target, balancing.zk_auth, balancing.zk_tls)


class Discovery(Generic[P]):
    """From ``start`` to ``stop``. It holds on to the cluster, and not to the client."""

    def __init__(
        self,
        service: str,
        target: ServiceTarget,
        cluster: Cluster[P],
        options: Options,
        balancing: Balancing,
        sweep: Callable[[], object],
    ) -> None:
        """``sweep`` tidies up the client's connections, now and then."""
        self._service = service
        self._cluster = cluster
        self._tls = options.tls is not None
        self._probe_options = replace(options, timeout=PROBE_S)
        self._sweep = sweep
        self._cache = cache_of(service, balancing.cache_file, by_default=isinstance(target, ZooKeeperTarget))
        self._stored: tuple[int, object] = (cluster.revision, None)
        self._resolver = make_resolver(target, balancing)
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="calculate-discovery", daemon=True)

    def start(self) -> None:
        self._cluster.on_change = self._wake.set
        self._cluster.on_failure = self._resolver.refresh
        self._resolver.start(self._cluster)
        self._thread.start()

    def use_cache(self) -> None:
        """The registry does not answer at once: goes on with the list of the last time, if there is one."""
        if self._cache is not None:
            self._cluster.cached(self._cache.load())

    def why_nothing(self, timeout: float) -> str:
        """The text of the error when nothing was found in time."""
        return _text.no_list(self._service, self._resolver.problem, timeout)

    def stop(self) -> None:
        """Ends it, without waiting. May be repeated."""
        self._stopped = True
        self._resolver.stop()
        self._wake.set()

    def join(self) -> None:
        """Waits a little until it has ended. On a thread of its own, which tells an event, it does not wait."""
        self._resolver.join(_JOIN_S)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def forget(self) -> None:
        """In the child of a fork: there are no threads any more."""
        self._stopped = True
        self._resolver.forget()

    def _run(self) -> None:
        swept = stored = monotonic()
        while not self._stopped:
            self._wake.wait(self._patience())
            self._wake.clear()
            for member in self._cluster.tick():
                self._start_probe(member)
            now = monotonic()
            if now - swept >= _SWEEP_S:
                swept = now
                self._sweep()
            if now - stored >= _STORE_S and self._store():
                stored = now
        self._store()

    def _patience(self) -> float:
        due = self._cluster.next_due()
        return _SWEEP_S if due is None else max(0.0, min(_SWEEP_S, (due - now_ms()) / 1000))

    def _store(self) -> bool:
        """Writes the list down, if it may have changed since the last time."""
        if self._cache is None or self._stored[0] == self._cluster.revision:
            return False
        revision, instances = self._cluster.revision, self._cluster.listed()
        shown = sorted((instance.to_json() for instance in instances), key=lambda each: str(each["id"]))
        if instances and shown != self._stored[1]:
            self._cache.store(instances)
        self._stored = (revision, shown)
        return True

    def _start_probe(self, member: Member[P]) -> None:
        try:
            threading.Thread(target=self._probe, args=(member,), name="calculate-probe", daemon=True).start()
        except RuntimeError:  # no more threads: then it is not well to us
            self._cluster.probed(member, well=False)

    def _probe(self, member: Member[P]) -> None:
        target = member.instance.target(tls=self._tls)
        well = False
        try:
            well = target is not None and probe(target, self._probe_options)
        finally:
            if not self._stopped:
                self._cluster.probed(member, well=well)
