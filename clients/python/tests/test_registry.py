"""Clients of a service that is registered in ZooKeeper: a real one, and real and fake servers."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fakes import PATIENCE_S, FakeServer, echo
from kazoo.security import make_digest_acl
from programs import needs_server, serving
from test_balanced import Counting
from test_cli import STARTER
from vectors import rows
from zookeepers import SERVICE, Registrar, ZooKeeper, needs_zookeeper, zookeeper

import calculate
from calculate import Balancing, ConnectError, Event

pytestmark = needs_zookeeper


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def shared() -> Iterator[ZooKeeper]:
    """One for the tests that do it no harm."""
    with zookeeper() as running:
        yield running


@pytest.fixture
def registrar(shared: ZooKeeper) -> Iterator[Registrar]:
    with shared.client() as client:
        yield client
        client.client.delete("/services", recursive=True)


class Servers:
    """Fake servers that count their calls, named a, b, c …."""

    def __init__(self, stack: ExitStack, count: int) -> None:
        self.scripts = [Counting(echo) for _ in range(count)]
        self.addresses = [stack.enter_context(FakeServer(script)).address for script in self.scripts]

    def calls(self) -> list[int]:
        """How many each had since this was asked the last time."""
        calls = [script.calls for script in self.scripts]
        for script in self.scripts:
            script.calls = 0
        return calls


@pytest.fixture
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack, 3)


def call(client: Any, times: int = 6) -> None:
    for n in range(times):
        assert client.square(float(n)) == float(n)


def listed(client: Any) -> list[str]:
    """The ids of the list in force."""
    channel = (client._client if hasattr(client, "_client") else client)._channel
    return sorted(instance.id for instance in channel._cluster.listed())


def weight_of(client: Any, id_: str) -> int:
    channel = (client._client if hasattr(client, "_client") else client)._channel
    return next((i.weight if i.enabled else 0) for i in channel._cluster.listed() if i.id == id_)


def balancing(events: list[Event] | None = None, **settings: Any) -> Balancing:
    return Balancing("round_robin", on_event=None if events is None else events.append, **settings)


def test_instances_come_and_go(caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers) -> None:
    a, b, c = servers.addresses
    registrar.register(a, "a")
    registrar.register(b, "b")
    events: list[Event] = []
    with caller.connect(shared.target(), balancing=balancing(events)) as client:
        call(client)
        assert servers.calls() == [3, 3, 0]
        registrar.register(c, "c")
        caller.eventually(lambda: listed(client) == ["a", "b", "c"])
        call(client)
        assert servers.calls() == [2, 2, 2]
        registrar.remove("a")
        caller.eventually(lambda: listed(client) == ["b", "c"])
        call(client)
        assert servers.calls() == [0, 3, 3]
    caller.turn()
    assert [event.instance for event in events if event.kind == "instance_up"] == ["a", "b", "c"]
    assert [event.instance for event in events if event.kind == "instance_down"] == ["a"]


def test_an_operator_takes_one_out_and_puts_it_back(
    caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers
) -> None:
    a, b, _ = servers.addresses
    registrar.register(a, "a")
    registrar.register(b, "b")
    with caller.connect(shared.target(), balancing=balancing()) as client:
        for fields in ({"enabled": False}, {"payload": {"weight": "0"}}):
            registrar.register(a, "a", **fields)
            caller.eventually(lambda: weight_of(client, "a") == 0)
            servers.calls()
            call(client)
            assert servers.calls() == [0, 6, 0]
            registrar.register(a, "a")
            caller.eventually(lambda: weight_of(client, "a") == 100)
            call(client)
            assert servers.calls() == [3, 3, 0]


def test_versions_and_groups_are_chosen(caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers) -> None:
    a, b, c = servers.addresses
    registrar.register(a, "a", payload={"version": "1"})
    registrar.register(b, "b", payload={"version": "1,2", "group": "default"})
    registrar.register(c, "c", payload={"version": "2", "group": "blue"})
    for query, expected in (
        ("", [3, 3, 0]),
        ("?version=2+", [0, 6, 0]),
        ("?version=1", [3, 3, 0]),
        ("?group=blue", [0, 0, 6]),
        ("?group=blue&version=1-2", [0, 0, 6]),
    ):
        with caller.connect(shared.target(query), balancing=balancing()) as client:
            call(client)
            assert servers.calls() == expected, query
            # Who hosts several is called by the name of the version, but for its lowest.
            assert servers.scripts[1].services <= {"Calculate.v2" if query == "?version=2+" else ""}
            servers.scripts[1].services.clear()
    with (
        caller.connect(shared.target("?version=7"), balancing=balancing()) as client,
        pytest.raises(ConnectError, match=r"none of the 3 known instances of .* is of the version and the group"),
    ):
        client.square(1.0)


def test_the_own_zone_is_preferred(caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers) -> None:
    for address, id_, zone in zip(servers.addresses, "abc", ("west", "east", "west"), strict=True):
        registrar.register(address, id_, payload={"zone": zone})
    for target, zone in (
        (shared.target("?zone=west"), ""),
        (shared.target(), "west"),
        (shared.target("?zone=west"), "x"),
    ):
        with caller.connect(target, balancing=balancing(zone=zone)) as client:
            call(client)
            assert servers.calls() == [3, 0, 3]


def test_hostile_nodes_are_skipped_and_named(
    caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers
) -> None:
    bad = {row[0]: row[1] for row in rows("instances.tsv") if row[3].startswith("skipped") and row[2] == "-"}
    for name, text in bad.items():
        registrar.write(name, bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode())
    registrar.register(servers.addresses[0], "good")
    events: list[Event] = []
    with caller.connect(shared.target(), balancing=balancing(events)) as client:
        call(client)
        registrar.register(servers.addresses[1], "another")  # all is looked at again
        caller.eventually(lambda: listed(client) == ["another", "good"])
        call(client)
    caller.turn()
    skipped = Counter(event.instance for event in events if event.kind == "node_skipped")
    assert skipped == dict.fromkeys(bad, 1)
    assert all(event.detail.isprintable() for event in events)


def test_a_node_that_is_mended_is_called(
    caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers
) -> None:
    registrar.register(servers.addresses[0], "a")
    registrar.write("b", b"{")
    with caller.connect(shared.target(), balancing=balancing()) as client:
        assert listed(client) == ["a"]
        registrar.register(servers.addresses[1], "b")
        caller.eventually(lambda: listed(client) == ["a", "b"])


def test_who_wants_tls_is_not_called_without(
    caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers
) -> None:
    registrar.register(servers.addresses[0], "a")
    host, _, port = servers.addresses[1].rpartition(":")
    registrar.write("b", json.dumps({"address": host, "sslPort": int(port)}).encode())
    events: list[Event] = []
    with caller.connect(shared.target(), balancing=balancing(events)) as client:
        call(client)
        assert servers.calls() == [6, 0, 0]
    caller.turn()
    assert [(e.instance, e.detail) for e in events if e.kind == "node_skipped"] == [
        ("b", "it wants TLS, and this client does not use it")
    ]


def test_the_first_instance_is_waited_for(shared: ZooKeeper, registrar: Registrar, servers: Servers) -> None:
    with ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(calculate.connect, shared.target(), timeout=PATIENCE_S)
        registrar.register(servers.addresses[0], "a")
        with connecting.result(PATIENCE_S) as client:
            call(client)


def test_a_service_without_instances_is_one_clear_error(caller: Any, shared: ZooKeeper) -> None:
    with pytest.raises(ConnectError) as caught:
        caller.connect(shared.target(), timeout=1.5)
    where = f"{shared.address}{SERVICE}"
    assert str(caught.value) == (
        f"no instance of zk://{where} was found within 1.5 s: no instance is registered in ZooKeeper at {where}"
    )


def test_no_zookeeper_is_one_clear_error(caller: Any) -> None:
    with pytest.raises(
        ConnectError,
        match=r"within 0\.3 s: no connection to ZooKeeper at 127\.0\.0\.1:1; does it run there, and without TLS\?$",
    ):
        caller.connect(f"zk://127.0.0.1:1{SERVICE}", timeout=0.3)


def test_a_name_of_zookeeper_that_is_none_is_one_clear_error(caller: Any) -> None:
    with pytest.raises(ConnectError, match=r"no connection to ZooKeeper at nowhere\.invalid:2181"):
        caller.connect(f"zk://nowhere.invalid:2181{SERVICE}", timeout=0.3)


def test_who_may_not_read_is_told(caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers) -> None:
    acl = [make_digest_acl("alice", "secret", all=True)]
    registrar.client.add_auth("digest", "alice:secret")
    registrar.register(servers.addresses[0], "a")
    registrar.client.set_acls(SERVICE, acl)
    registrar.client.set_acls(f"{SERVICE}/a", acl)
    with pytest.raises(ConnectError, match=r"does not let this client read /services/calculate; set zk_auth$"):
        caller.connect(shared.target(), timeout=1.5)
    with caller.connect(shared.target(), balancing=balancing(zk_auth="alice:secret")) as client:
        call(client)


def test_an_expired_session_is_begun_anew(
    caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers
) -> None:
    registrar.register(servers.addresses[0], "a")
    registrar.register(servers.addresses[1], "b")
    own = f"{registrar.client.client_id[0]:#x}"
    events: list[Event] = []
    with caller.connect(shared.target(), balancing=balancing(events)) as client:
        (session,) = set(shared.command("sessions").split()[1:]) - {own}
        shared.command(f"expire {session}")
        caller.eventually(lambda: [e for e in events if e.kind == "list_fresh"])
        assert [e.kind for e in events if e.kind.startswith("list")] == ["list_stale", "list_fresh"]
        call(client)
        registrar.register(servers.addresses[2], "c")
        caller.eventually(lambda: listed(client) == ["a", "b", "c"])


def test_all_registrations_gone_is_not_believed(
    caller: Any, shared: ZooKeeper, registrar: Registrar, servers: Servers
) -> None:
    registrar.register(servers.addresses[0], "a")
    registrar.register(servers.addresses[1], "b")
    events: list[Event] = []
    with caller.connect(shared.target(), balancing=balancing(events)) as client:
        registrar.remove("a")
        registrar.remove("b")
        caller.eventually(lambda: [e for e in events if e.kind == "list_empty_ignored"])
        call(client)
        assert "b" in listed(client)


def test_calls_go_on_without_zookeeper(caller: Any, servers: Servers) -> None:
    events: list[Event] = []
    with zookeeper() as ensemble, ensemble.client() as registrar:
        registrar.register(servers.addresses[0], "a")
        registrar.register(servers.addresses[1], "b")
        with caller.connect(ensemble.target(), balancing=balancing(events)) as client:
            ensemble.command("stop")
            caller.eventually(lambda: [e for e in events if e.kind == "list_stale"])
            servers.calls()
            call(client)
            assert servers.calls() == [3, 3, 0]
            ensemble.command("start")
            caller.eventually(lambda: [e for e in events if e.kind == "list_fresh"])
            call(client)
            assert servers.calls() == [3, 3, 0]


def test_a_start_without_zookeeper_goes_on_with_the_last_list(caller: Any, servers: Servers, tmp_path: Path) -> None:
    cache = tmp_path / "list.json"
    events: list[Event] = []
    with zookeeper() as ensemble, ensemble.client() as registrar:
        registrar.register(servers.addresses[0], "a", payload={"weight": "50"})
        with caller.connect(ensemble.target(), balancing=balancing(cache_file=cache)) as client:
            call(client)
            caller.eventually(cache.exists)
            # As a rule it is written before the client is closed, too.
            registrar.register(servers.addresses[1], "b")
            caller.eventually(lambda: listed(client) == ["a", "b"])
        written = json.loads(cache.read_text())
        assert written["target"] == ensemble.target()
        assert [each["id"] for each in written["instances"]] == ["a", "b"]
        assert cache.stat().st_mode & 0o777 == 0o600
        ensemble.command("stop")
        servers.calls()
        with caller.connect(ensemble.target(), balancing=balancing(events, cache_file=cache)) as client:
            call(client)
            assert servers.calls() == [3, 3, 0]
            assert weight_of(client, "a") == 50
            ensemble.command("start")
            registrar.client.retry(registrar.client.get_children, SERVICE)
            registrar.register(servers.addresses[2], "c")
            caller.eventually(lambda: "c" in listed(client))
            caller.eventually(lambda: [e for e in events if e.kind == "list_fresh"])
    assert [e.kind for e in events if e.kind.startswith("list")][:2] == ["list_stale", "list_fresh"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"target": 5}',
        b'{"target": "TARGET", "instances": [{"id": "a", "address": "x\\n", "port": 1}]}',
        b'{"target": "TARGET", "instances": [{"address": "127.0.0.1", "port": 1}]}',
        b'{"target": "TARGET", "instances": 7}',
        b'{"target": "zk://another:1/a/b", "instances": [{"id": "a", "address": "127.0.0.1", "port": 1}]}',
        b"\xff" * 100,
        b"[" * 100_000,
    ],
)
def test_a_broken_cache_is_no_cache(content: bytes, tmp_path: Path) -> None:
    target = f"zk://127.0.0.1:1{SERVICE}"
    cache = tmp_path / "list.json"
    cache.write_bytes(content.replace(b"TARGET", target.encode()))
    with pytest.raises(ConnectError, match="no connection to ZooKeeper"):
        calculate.connect(target, timeout=1.2, balancing=Balancing(cache_file=cache))


def test_the_cache_is_where_caches_are(shared: ZooKeeper, registrar: Registrar, servers: Servers, caller: Any) -> None:
    registrar.register(servers.addresses[0], "a")
    with caller.connect(shared.target()) as client:
        call(client)
    (path,) = Path(os.environ["XDG_CACHE_HOME"]).glob("calculate/*")
    assert re.fullmatch(r"[0-9a-f]{64}\.json", path.name)


def test_a_cache_that_cannot_be_written_harms_nobody(
    shared: ZooKeeper, registrar: Registrar, servers: Servers, tmp_path: Path, caller: Any
) -> None:
    (tmp_path / "file").write_text("")
    registrar.register(servers.addresses[0], "a")
    with caller.connect(shared.target(), balancing=balancing(cache_file=tmp_path / "file" / "list.json")) as client:
        call(client)


def test_an_emptied_ensemble_is_joined_again(caller: Any, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    # A ZooKeeper that was emptied refuses for ever who has seen more than it has.
    monkeypatch.setattr("calculate._registry._STUCK_S", 1.0)
    with zookeeper() as ensemble:
        with ensemble.client() as registrar:
            registrar.register(servers.addresses[0], "a")
            client = caller.connect(ensemble.target(), balancing=balancing())
            ensemble.command("clear")
        with ensemble.client() as registrar, client:
            registrar.register(servers.addresses[0], "a")
            registrar.register(servers.addresses[1], "b")
            caller.eventually(lambda: listed(client) == ["a", "b"])
            call(client)


def test_a_zookeeper_that_hangs_holds_nobody_up(caller: Any, servers: Servers) -> None:
    with zookeeper() as ensemble, ensemble.client() as registrar:
        registrar.register(servers.addresses[0], "a")
        with caller.connect(ensemble.target(), balancing=balancing()) as client:
            ensemble.pause()
            call(client)
        ensemble.resume()


def test_a_leader_that_is_lost_is_not_noticed(caller: Any, servers: Servers) -> None:
    with zookeeper("--nodes", "3") as ensemble, ensemble.client() as registrar:
        registrar.register(servers.addresses[0], "a")
        with caller.connect(ensemble.target(), balancing=balancing()) as client:
            leader = ensemble.command("leader").split()[1]
            ensemble.command(f"stop {leader}")
            call(client)
            registrar.client.retry(registrar.client.exists, SERVICE)
            registrar.client.retry(registrar.register, servers.addresses[1], "b")
            caller.eventually(lambda: "b" in listed(client))
            call(client)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_of_a_fork_watches_by_itself(shared: ZooKeeper, registrar: Registrar, servers: Servers) -> None:
    registrar.register(servers.addresses[0], "a")
    with calculate.connect(shared.target()) as client:
        call(client)
        ready, told = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                client.square(1.0)
                os.write(ready[1], b".")
                os.read(told[0], 1)
                end = threading.Event()
                while listed(client) != ["a", "b"]:
                    end.wait(0.01)
                code = 0
            finally:
                os._exit(code)
        assert os.read(ready[0], 1) == b"."
        registrar.register(servers.addresses[1], "b")
        os.write(told[1], b".")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        end = threading.Event()
        while listed(client) != ["a", "b"]:
            end.wait(0.01)
        for fd in (*ready, *told):
            os.close(fd)


def test_the_program_finds_its_server_in_zookeeper(shared: ZooKeeper, registrar: Registrar, servers: Servers) -> None:
    registrar.register(servers.addresses[0], "a")
    command = [sys.executable, str(STARTER), "--server", shared.target(), "9"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout, done.stderr) == (0, "9.0\n", "")  # the fake server gives back what it gets


@needs_server
def test_a_rolling_restart_fails_no_call(shared: ZooKeeper, registrar: Registrar) -> None:
    stop = threading.Event()

    def keep_calling(client: calculate.Client) -> int:
        count = 0
        while not stop.is_set():
            assert client.square(float(count)) == math.sqrt(count)
            count += 1
        return count

    with ExitStack() as old:
        ids = [registrar.register(old.enter_context(serving())) for _ in range(3)]
        with calculate.connect(shared.target()) as client, ThreadPoolExecutor(4) as pool, ExitStack() as new:
            callers = [pool.submit(keep_calling, client) for _ in range(4)]
            try:
                fresh = [registrar.register(new.enter_context(serving())) for _ in range(3)]
                for id_ in ids:
                    registrar.remove(id_)
                old.close()  # while the list still has them
                end = threading.Event()
                while listed(client) != sorted(fresh):
                    assert not any(call.done() for call in callers)
                    end.wait(0.01)
            finally:
                stop.set()
            assert all(call.result(PATIENCE_S) > 0 for call in callers)
            counters = client.counters()
            assert counters is not None
            assert counters.failures == 0
