"""Servers that register themselves in a real ZooKeeper, operators who take them out, and clients that call them."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import certificates
import pytest
from fakes import PATIENCE_S
from programs import Server, needs_server, program, running
from test_registry import listed, weight_of
from zookeepers import ZooKeeper, needs_zookeeper, zookeeper

import calculate
from calculate import Balancing

pytestmark = [needs_zookeeper, needs_server]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def ensemble() -> Iterator[ZooKeeper]:
    with zookeeper() as running:
        yield running


def registered(stack: ExitStack, ensemble: ZooKeeper, id_: str, *arguments: str) -> Server:
    registry = f"zk://{ensemble.address}/services"
    return stack.enter_context(running("--register", registry, "--instance-id", id_, *arguments))


def operate(*arguments: str) -> str:
    done = subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_servers_are_found_and_leave_without_a_failed_call(caller: Any, ensemble: ZooKeeper) -> None:
    with ExitStack() as stack, ExitStack() as leaves:
        registered(stack, ensemble, "stays", "--service-version", "1,2", "--zone", "west")
        registered(leaves, ensemble, "leaves")
        with caller.connect(ensemble.target("?version=1"), timeout=PATIENCE_S) as client:
            caller.eventually(lambda: listed(client) == ["leaves", "stays"])
            assert [client.square(float(n * n)) for n in range(20)] == [float(n) for n in range(20)]
            leaves.close()
            assert [client.square(float(n * n)) for n in range(20)] == [float(n) for n in range(20)]
            caller.eventually(lambda: listed(client) == ["stays"])
            assert client.counters().failures == 0


def test_an_operator_takes_a_server_out(caller: Any, ensemble: ZooKeeper) -> None:
    with ExitStack() as stack:
        registered(stack, ensemble, "one")
        registered(stack, ensemble, "two")
        with caller.connect(ensemble.target(), timeout=PATIENCE_S) as client:
            caller.eventually(lambda: listed(client) == ["one", "two"])
            registry = ("--registry", ensemble.target())
            operate("offline", "one", *registry)
            caller.eventually(lambda: weight_of(client, "one") == 0)
            assert client.square(9.0) == 3.0
            operate("online", "one", *registry)
            caller.eventually(lambda: weight_of(client, "one") == 100)
            operate("weight", "one", "7", *registry)
            caller.eventually(lambda: weight_of(client, "one") == 7)


def test_tls_is_found_where_it_is(caller: Any, ensemble: ZooKeeper) -> None:
    certificates.make()
    shown = certificates.pair("server")
    with ExitStack() as stack:
        arguments = ("--tls", "require", "--tls-certificate", shown["certificate"], "--tls-key", shown["key"])
        registered(stack, ensemble, "encrypted", *arguments)
        with caller.connect(ensemble.target(), timeout=PATIENCE_S, tls=certificates.trusting()) as client:
            assert client.square(9.0) == 3.0
        with (
            caller.connect(ensemble.target(), timeout=PATIENCE_S) as client,
            pytest.raises(
                calculate.ConnectError, match=r"can be called: it wants TLS, and this client does not use it$"
            ),
        ):
            client.square(9.0)


def test_a_server_that_hung_returns_when_it_goes_on(caller: Any) -> None:
    events: list[calculate.Event] = []
    balancing = Balancing("round_robin", on_event=events.append)
    with (
        running() as one,
        running() as two,
        caller.connect(f"{one.address},{two.address}", balancing=balancing) as client,
    ):
        for kind in ("instance_ejected", "instance_returned"):
            one.process.send_signal(signal.SIGSTOP if kind == "instance_ejected" else signal.SIGCONT)

            def told(kind: str = kind) -> bool:
                assert client.square(9.0) == 3.0
                return (kind, one.address) in {event[:2] for event in events}

            caller.eventually(told)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_server_that_dies_under_load_fails_no_call(ensemble: ZooKeeper, how: signal.Signals) -> None:
    stop = threading.Event()

    def keep_calling(client: calculate.Client) -> int:
        count = 0
        while not stop.is_set():
            assert client.square(float(count * count)) == float(count)
            count += 1
        return count

    events: list[calculate.Event] = []
    with ExitStack() as stack:
        servers = {id_: registered(stack, ensemble, id_) for id_ in ("one", "two", "three")}
        balancing = Balancing("round_robin", on_event=events.append)
        with calculate.connect(ensemble.target(), balancing=balancing) as client, ThreadPoolExecutor(4) as pool:
            while listed(client) != ["one", "three", "two"]:
                stop.wait(0.01)
            callers = [pool.submit(keep_calling, client) for _ in range(4)]
            try:
                servers["two"].process.send_signal(how)
                while not any((e.kind, e.instance) == ("instance_ejected", "two") for e in events):
                    assert not any(call.done() for call in callers)
                    stop.wait(0.01)
            finally:
                stop.set()
            assert all(call.result(PATIENCE_S) > 0 for call in callers)
