"""Instances in ZooKeeper, as Curator's x-discovery lays them out: below the service's node one node each."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from time import monotonic
from typing import Any

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoAuthError, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.states import KazooState, WatchedEvent
from kazoo.retry import KazooRetry

from ._instance import BadNode, Instance, read_node
from ._registry_tls import TlsHandler
from ._resolve import Sink
from ._service_target import ZooKeeperTarget
from ._tls import Tls

SESSION_S = 10.0
_READ_AGAIN_S = 60.0
_READ_RETRY_S = 1.0
# A client that is not connected for longer than this is given up for a new one: a server refuses sessions that have
# seen more than it has, which is for ever when the ensemble was emptied.
_STUCK_S = SESSION_S + 5.0
_ANSWER_S = 10.0
_INSTANCES_MAX = 10_000

log = logging.getLogger("calculate.zookeeper")


class ZooKeeperResolver:
    """Watches a service's node; reads all of it on every new connection, and every minute."""

    def __init__(self, target: ZooKeeperTarget, auth: str | None, tls: Tls | None) -> None:
        self._target = target
        self._tls = tls
        self._auth = [("digest", auth)] if auth is not None else None
        self._wake = threading.Event()
        self._stopped = False
        self._client: Any = None
        self._thread: threading.Thread | None = None
        self.problem = (
            f"no connection to ZooKeeper at {target.ensemble}; does it run there{'' if tls else ', and without TLS'}?"
        )
        # What kazoo's threads say.
        self._state: str = KazooState.LOST
        self._losses = 0
        self._children_changed = False
        self._nodes_changed: deque[str] = deque()
        # What was read: the instance, or None for what is none.
        self._nodes: dict[str, Instance | None] = {}
        # Nodes that were complained about, and the transaction that wrote them.
        self._complained: dict[str, int] = {}

    def start(self, sink: Sink) -> None:
        self._thread = threading.Thread(target=self._run, args=(sink,), name="calculate-registry", daemon=True)
        self._thread.start()

    def refresh(self) -> None:
        pass  # it tells by itself

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def join(self, timeout: float) -> None:
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def forget(self) -> None:
        # Only this process's copy of the socket: the session is the parent's.
        with contextlib.suppress(Exception):
            self._client._connection._socket.close()

    def _run(self, sink: Sink) -> None:
        self._connect()
        told_losses, connected, since = 0, False, monotonic()
        read_at = 0.0
        while not self._stopped:
            self._wake.wait(self._patience(connected, since, read_at))
            self._wake.clear()
            if self._losses != told_losses:
                told_losses = self._losses
                if connected:
                    connected, since = False, monotonic()
                sink.lost(self.problem)
            if self._state == KazooState.CONNECTED:
                if not connected:
                    connected = True
                    read_at = 0.0
                    sink.connected()
                read_at = self._read_if_due(sink, read_at)
            elif not connected and monotonic() - since > _STUCK_S:
                since = monotonic()
                self._disconnect()
                self._connect()
        self._disconnect()

    def _patience(self, connected: bool, since: float, read_at: float) -> float:
        """How long to wait for something to happen."""
        until = (read_at or monotonic()) if connected else since + _STUCK_S
        return max(0.05, until - monotonic())

    def _connect(self) -> None:
        retry = KazooRetry(max_tries=-1, delay=0.1, backoff=2, max_delay=2.0)
        self._client = KazooClient(
            hosts=self._target.ensemble,
            timeout=SESSION_S,
            auth_data=self._auth,
            connection_retry=retry,
            handler=None if self._tls is None else TlsHandler(self._tls, self._tls_failed),
            logger=log,
        )
        self._client.add_listener(self._listen)
        self._client.start_async()

    def _disconnect(self) -> None:
        with contextlib.suppress(Exception):
            self._client.remove_listener(self._listen)
            self._client.stop()
            self._client.close()

    def _tls_failed(self, why: str) -> None:
        # On kazoo's own thread.
        self.problem = why

    def _listen(self, state: str) -> None:
        # On kazoo's own thread, which must not wait.
        if state != KazooState.CONNECTED:
            self.problem = f"the connection to ZooKeeper at {self._target.ensemble} was lost"
            self._losses += 1
        self._state = state
        self._wake.set()

    def _read_if_due(self, sink: Sink, read_at: float) -> float:
        """Reads what has changed, or all; when to read all the next time."""
        whole = monotonic() >= read_at
        if not whole and not self._children_changed and not self._nodes_changed:
            return read_at
        try:
            self._read(sink, whole)
        except NoAuthError:
            self.problem = f"ZooKeeper does not let this client read {self._target.path}; set zk_auth"
        except (KazooException, KazooTimeoutError) as error:
            self.problem = f"ZooKeeper does not answer ({type(error).__name__})"
        except Exception as error:  # this thread has to go on, whatever it was
            self.problem = f"ZooKeeper cannot be read ({error!r})"
            log.exception("%s", self.problem)
        else:
            return monotonic() + _READ_AGAIN_S if whole else read_at
        self._children_changed = True
        return monotonic() + _READ_RETRY_S

    def _read(self, sink: Sink, whole: bool) -> None:
        self._children_changed = False
        changed = {self._nodes_changed.popleft() for _ in range(len(self._nodes_changed))}
        try:
            names = self._client.get_children_async(self._target.path, self._watch_children).get(timeout=_ANSWER_S)
        except NoNodeError:
            # Created between the two: then the watch on it has fired, or will.
            if self._client.exists_async(self._target.path, self._watch_children).get(timeout=_ANSWER_S) is not None:
                self._children_changed = True
                self._wake.set()
            names = []
        names = sorted(names)[:_INSTANCES_MAX]
        asked = {
            name: self._client.get_async(f"{self._target.path}/{name}", self._watch_node)
            for name in names
            if whole or name in changed or name not in self._nodes
        }
        nodes = {name: self._nodes.get(name) for name in names}
        for name, answer in asked.items():
            try:
                content, stat = answer.get(timeout=_ANSWER_S)
            except NoNodeError:
                del nodes[name]
            else:
                nodes[name] = self._instance(sink, name, content, stat.mzxid)
        self._nodes = nodes
        self._complained = {name: mzxid for name, mzxid in self._complained.items() if name in nodes}
        found = [instance for instance in nodes.values() if instance is not None]
        if not found:
            self.problem = f"no instance is registered in ZooKeeper at {self._target.ensemble}{self._target.path}"
        sink.read(found)

    def _instance(self, sink: Sink, name: str, content: bytes, mzxid: int) -> Instance | None:
        try:
            return read_node(name, content)
        except BadNode as error:
            if self._complained.get(name) != mzxid:
                self._complained[name] = mzxid
                sink.skipped(name, str(error))
            return None

    def _watch_children(self, _event: WatchedEvent) -> None:
        self._children_changed = True
        self._wake.set()

    def _watch_node(self, event: WatchedEvent) -> None:
        if event.path is not None:  # else the session is over, and all is read anew
            self._nodes_changed.append(event.path.rpartition("/")[2])
            self._wake.set()
