"""A client of several servers: who is called, what is tried again, and what is not."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakes import PATIENCE_S, FakeServer, Peer, Script, answer, domain_error, echo, exception, hang_up, silent

import calculate
from calculate import (
    Balancing,
    ConnectError,
    ConnectionClosed,
    DeadlineExceeded,
    DeclaredError,
    DomainError,
    Event,
    Method,
    Overloaded,
    aio,
)
from calculate._client import CAL, SQUARE, square_args

BUSY = 11  # fbthrift's LOADSHEDDING

ONCE = Method("Square", SQUARE.args, SQUARE.result)  # not declared idempotent


def call_once(client: Any, value: float) -> Any:
    """Calls a method that must not be repeated."""
    return client.call(ONCE, square_args(value)).value


def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def overloaded(peer: Peer) -> None:
    while True:
        peer.send(exception(peer.read_call(), BUSY, "busy"))


def refuses_the_domain(peer: Peer) -> None:
    while True:
        peer.send(domain_error(peer.read_call()))


def hangs_up_on_a_call(peer: Peer) -> None:
    peer.read_call()


class Counting:
    """A script and how many calls it was sent."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.calls = 0
        self.services: set[str] = set()

    def __call__(self, peer: Peer) -> None:
        read_call = peer.read_call

        def count() -> Any:
            request = read_call()
            self.calls += 1
            self.services.add(request.service)
            return request

        peer.read_call = count  # type: ignore[method-assign]
        self._script(peer)


def target(*servers: FakeServer | str) -> str:
    return ",".join(server if isinstance(server, str) else server.address for server in servers)


def kinds(events: list[Event]) -> Counter[str]:
    return Counter(event.kind for event in events)


def test_calls_go_round(caller: Any) -> None:
    scripts = [Counting(echo) for _ in range(3)]
    servers = [FakeServer(script) for script in scripts]
    with (
        servers[0],
        servers[1],
        servers[2],
        caller.connect(target(*servers), balancing=Balancing("round_robin")) as client,
    ):
        assert [client.square(float(n)) for n in range(9)] == [float(n) for n in range(9)]
        counters = client.counters()
    assert [script.calls for script in scripts] == [3, 3, 3]
    assert counters is not None
    assert (counters.calls, counters.connects, counters.instances, counters.failures) == (9, 3, 3, 0)


@pytest.mark.parametrize("balance", ["least_loaded", "random", "weighted", "hash"])
def test_every_strategy_answers_and_spreads(caller: Any, balance: Any) -> None:
    scripts = [Counting(echo), Counting(echo)]
    with (
        FakeServer(scripts[0]) as one,
        FakeServer(scripts[1]) as two,
        caller.connect(target(one, two), balancing=Balancing(balance)) as client,
    ):
        for n in range(200):
            assert client.square(float(n), key=str(n)) == float(n)
    # Of two, the least loaded one is the one that never took a millisecond.
    assert all(script.calls > (0 if balance == "least_loaded" else 20) for script in scripts)


def test_a_key_stays_with_its_server(caller: Any) -> None:
    scripts = [Counting(echo) for _ in range(3)]
    servers = [FakeServer(script) for script in scripts]
    with servers[0], servers[1], servers[2], caller.connect(target(*servers), balancing=Balancing("hash")) as client:
        for _ in range(10):
            client.square(4.0, key="customer-7")
            client.cal(4.0, key=b"customer-7")
    assert sorted(script.calls for script in scripts) == [0, 0, 20]


def test_a_dead_server_is_not_noticed(caller: Any) -> None:
    events: list[Event] = []
    with (
        FakeServer(echo) as server,
        caller.connect(target(nobody(), server), balancing=Balancing("round_robin", on_event=events.append)) as client,
    ):
        for n in range(20):
            assert client.square(float(n)) == float(n)
        counters = client.counters()
        caller.eventually(lambda: kinds(events)["instance_ejected"])
    assert kinds(events)["retry"] >= 1
    assert counters.ejections >= 1
    assert counters.failures == 0


def test_two_dead_servers_of_three_are_not_noticed_however_many_calls_there_are(caller: Any) -> None:
    with FakeServer(echo) as server, caller.connect(target(nobody(), nobody(), server)) as client:
        for n in range(1000):
            assert client.square(float(n)) == float(n)
        counters = client.counters()
    assert (counters.failures, counters.retries_denied) == (0, 0)


def test_what_may_not_be_repeated_is_tried_again_when_nothing_was_sent(caller: Any) -> None:
    with (
        FakeServer(echo) as server,
        caller.connect(target(nobody(), server), balancing=Balancing("round_robin")) as client,
    ):
        assert [call_once(client, float(n)) for n in range(4)] == [0.0, 1.0, 2.0, 3.0]


def test_a_call_on_a_lost_connection_is_made_elsewhere(caller: Any) -> None:
    lost, well = Counting(hangs_up_on_a_call), Counting(echo)
    with (
        FakeServer(lost) as one,
        FakeServer(well) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin")) as client,
    ):
        for n in range(6):
            assert client.square(float(n)) == float(n)
    assert lost.calls >= 1
    assert well.calls == 6


def test_what_may_not_be_repeated_is_not(caller: Any) -> None:
    lost, well = Counting(hangs_up_on_a_call), Counting(echo)
    outcomes = []
    with (
        FakeServer(lost) as one,
        FakeServer(well) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin")) as client,
    ):
        for n in range(2):
            try:
                outcomes.append(call_once(client, float(n)))
            except ConnectionClosed as error:
                outcomes.append(str(error))
    assert lost.calls == well.calls == 1
    assert sum(isinstance(each, float) for each in outcomes) == 1
    assert sum("may have been carried out" in str(each) for each in outcomes) == 1


def test_one_attempt_is_one_attempt(caller: Any) -> None:
    lost = Counting(hangs_up_on_a_call)
    with (
        FakeServer(lost) as one,
        FakeServer(lost) as two,
        caller.connect(target(one, two), balancing=Balancing(attempts=1)) as client,
    ):
        with pytest.raises(ConnectionClosed):
            client.square(1.0)
        assert client.counters().failures == 1
    assert lost.calls == 1


def test_a_silent_server_costs_one_attempt(caller: Any) -> None:
    events: list[Event] = []
    with (
        FakeServer(silent) as one,
        FakeServer(echo) as two,
        caller.connect(
            target(one, two), balancing=Balancing("round_robin", attempt_timeout=0.5, on_event=events.append)
        ) as client,
    ):
        for n in range(4):
            assert client.square(float(n)) == float(n)
        caller.eventually(lambda: kinds(events)["instance_ejected"])
    ejected = next(event for event in events if event.kind == "instance_ejected")
    assert ejected.instance == one.address
    assert "did not answer Square within 0.5 s" in ejected.detail


def test_the_deadline_is_that_of_the_call(caller: Any) -> None:
    with (
        FakeServer(silent) as one,
        FakeServer(silent) as two,
        caller.connect(target(one, two), timeout=0.3, balancing=Balancing(attempt_timeout=0.05)) as client,
        pytest.raises(DeadlineExceeded, match=r"did not answer Square within 0\.3 s"),
    ):
        client.square(1.0)


def test_an_overloaded_server_is_left_alone(caller: Any) -> None:
    busy, well = Counting(overloaded), Counting(echo)
    events: list[Event] = []
    with (
        FakeServer(busy) as one,
        FakeServer(well) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin", on_event=events.append)) as client,
    ):
        for n in range(4):
            assert call_once(client, float(n)) == float(n)
        caller.turn()
    assert busy.calls == 2
    assert "instance_ejected" not in kinds(events)  # it is not to blame


def test_overload_everywhere_is_told_after_two(caller: Any) -> None:
    busy = Counting(overloaded)
    with (
        FakeServer(busy) as one,
        FakeServer(busy) as two,
        FakeServer(busy) as three,
        caller.connect(target(one, two, three)) as client,
        pytest.raises(Overloaded),
    ):
        client.square(1.0)
    assert busy.calls == 2


def test_an_answer_is_an_answer(caller: Any) -> None:
    script = Counting(refuses_the_domain)
    with FakeServer(script) as one, FakeServer(script) as two, caller.connect(target(one, two)) as client:
        with pytest.raises(DomainError):
            client.square(-4.0)
        assert client.counters().failures == 0
    assert script.calls == 1


def test_a_declared_error_without_a_class_of_its_own_is_the_servers_answer(caller: Any) -> None:
    script = Counting(refuses_the_domain)
    with FakeServer(script) as one, FakeServer(script) as two, caller.connect(target(one, two)) as client:
        for _ in range(4):
            with pytest.raises(DeclaredError):
                client.call(ONCE, square_args(-4.0))
        counters = client.counters()
        assert (counters.ejections, counters.failures, script.calls) == (0, 0, 4)


def test_nothing_but_garbage_is_a_failure(caller: Any) -> None:
    def garbage(peer: Peer) -> None:
        peer.read_call()
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with (
        FakeServer(garbage) as one,
        FakeServer(echo) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin")) as client,
    ):
        assert [client.square(float(n)) for n in range(4)] == [0.0, 1.0, 2.0, 3.0]
        assert client.counters().ejections == 1


def test_retries_end_when_most_calls_fail(caller: Any) -> None:
    lost = Counting(hangs_up_on_a_call)
    with FakeServer(lost) as one, FakeServer(lost) as two, caller.connect(target(one, two)) as client:
        for _ in range(40):
            with pytest.raises(ConnectionClosed):
                client.square(1.0)
        counters = client.counters()
    assert counters.retries_denied > 0
    assert counters.failures == 40
    assert lost.calls == 40 + counters.retries


def test_the_ejected_returns_when_it_is_well(caller: Any) -> None:
    events: list[Event] = []
    probes = Counting(echo)

    def answers_pings(peer: Peer) -> None:
        content = peer.read_frame()
        if b"ping" in content:
            probes.calls += 1
            content = content[:3] + b"\x02" + content[4:]  # its arguments are an empty struct, as its result may be
            peer.send(len(content).to_bytes(4, "big"), content)

    with (
        FakeServer(hangs_up_on_a_call, answers_pings, echo) as one,
        FakeServer(echo) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin", on_event=events.append)) as client,
    ):
        client.square(1.0)
        client.square(1.0)
        caller.eventually(lambda: kinds(events)["instance_returned"])
        before = client.counters().retries
        assert [client.square(float(n)) for n in range(4)] == [0.0, 1.0, 2.0, 3.0]
        assert client.counters().retries == before
    assert probes.calls == 1
    assert [e.instance for e in events if e.kind in ("instance_ejected", "instance_returned")] == [one.address] * 2


def test_a_probe_that_fails_ejects_for_longer(caller: Any) -> None:
    events: list[Event] = []
    with (
        FakeServer(hangs_up_on_a_call, hang_up) as one,
        FakeServer(echo) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin", on_event=events.append)) as client,
    ):
        client.square(1.0)
        client.square(1.0)
        caller.eventually(lambda: kinds(events)["instance_ejected"] == 2)
    assert "a probe failed" in [e for e in events if e.kind == "instance_ejected"][1].detail


def test_a_slow_answer_is_overtaken_by_a_hedge(caller: Any) -> None:
    stuck = threading.Event()
    asked = threading.Event()

    def slow(peer: Peer) -> None:
        while True:
            request = peer.read_call()
            if request.value == 1e6:
                asked.set()
                stuck.wait(PATIENCE_S)
            peer.send(answer(request))

    with (
        FakeServer(slow) as one,
        FakeServer(echo) as two,
        caller.connect(
            target(one, two), balancing=Balancing("hash", hedge="p95", attempt_timeout=PATIENCE_S), timeout=PATIENCE_S
        ) as client,
    ):
        # Keys that belong to the slow server, which is fast until it is asked for a million.
        keys = iter(range(10_000))
        while client.counters().calls < 150:
            client.square(1.0, key=str(next(keys)))
        for key in keys:
            assert client.square(1e6, key=str(key)) == 1e6
            if asked.is_set():
                break
        assert client.counters().hedges >= 1
        assert client.counters().failures == 0
        stuck.set()
        # The connection of the one that lost is as good as before.
        assert [client.square(float(n), key=str(n)) for n in range(20)] == [float(n) for n in range(20)]
        assert client.counters().connects == 2


def test_idle_connections_are_closed_and_made_anew(caller: Any) -> None:
    closed = threading.Event()

    def once(peer: Peer) -> None:
        peer.send(answer(peer.read_call()))
        peer.wait_closed()
        closed.set()

    with (
        FakeServer(once, echo) as one,
        caller.connect(target(one, one) + "," + nobody(), balancing=Balancing(idle_close=0.05)) as client,
    ):
        client.square(1.0)
        caller.eventually(closed.is_set)
        assert client.square(2.0) == 2.0


def test_old_connections_are_replaced(caller: Any) -> None:
    with (
        FakeServer(echo) as one,
        FakeServer(echo) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin", max_connection_age=0.05)) as client,
    ):
        values = iter(range(1_000_000))

        def replaced() -> bool:
            value = float(next(values))
            assert client.square(value) == value
            counters = client.counters()
            return counters is not None and counters.connects >= 4

        caller.eventually(replaced)
        assert client.counters().failures == 0


def test_several_connections_to_one_server(caller: Any) -> None:
    with (
        FakeServer(echo) as one,
        FakeServer(echo) as two,
        caller.connect(target(one, two), balancing=Balancing("round_robin", connections_per_instance=3)) as client,
    ):
        for n in range(12):
            assert client.square(float(n)) == float(n)
        assert (one.connections, two.connections) == (3, 3)


def test_closing_fails_what_is_in_flight() -> None:
    asked = threading.Event()

    def listens(peer: Peer) -> None:
        peer.read_call()
        asked.set()
        peer.wait_closed()

    with FakeServer(listens) as one, FakeServer(listens) as two, ThreadPoolExecutor(1) as pool:
        client = calculate.connect(target(one, two), timeout=PATIENCE_S)
        call = pool.submit(client.square, 1.0, timeout=PATIENCE_S)
        assert asked.wait(PATIENCE_S)
        client.close()
        with pytest.raises(ConnectionClosed, match="was closed"):
            call.result(PATIENCE_S)
        with pytest.raises(ConnectionClosed, match=r"this client of .* was closed"):
            client.square(1.0)
        client.close()


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("calculate-")]


def test_a_closed_client_leaves_no_threads(caller: Any) -> None:
    with FakeServer(echo) as one, FakeServer(echo) as two, caller.connect(target(one, two)) as client:
        client.square(1.0)
        assert our_threads()
    caller.eventually(lambda: not our_threads())


def test_a_client_that_is_forgotten_leaves_no_threads(caller: Any) -> None:
    client = calculate.connect(target(nobody(), nobody()))
    assert our_threads()
    del client
    caller.eventually(lambda: not our_threads())


def test_one_server_costs_nothing_of_this(caller: Any) -> None:
    with FakeServer(echo) as server, caller.connect(server.address, balancing=Balancing(attempts=1)) as client:
        assert client.square(4.0, key="any") == 4.0
        assert client.counters() is None
        assert not our_threads()


def test_an_event_callback_that_fails_harms_nobody() -> None:
    def fails(event: Event) -> None:
        raise RuntimeError(event.kind)

    with (
        FakeServer(echo) as server,
        calculate.connect(target(nobody(), server), balancing=Balancing("round_robin", on_event=fails)) as client,
    ):
        assert [client.square(float(n)) for n in range(4)] == [0.0, 1.0, 2.0, 3.0]


def test_an_event_may_close_the_client(caller: Any) -> None:
    clients: list[calculate.Client] = []

    def close(event: Event) -> None:
        if event.detail.endswith("a probe failed"):
            clients[0].close()

    with (
        FakeServer(hangs_up_on_a_call, hang_up) as one,
        FakeServer(echo) as two,
        calculate.connect(target(one, two), balancing=Balancing("round_robin", on_event=close)) as client,
    ):
        clients.append(client)
        client.square(1.0)
        client.square(1.0)
        caller.eventually(lambda: not our_threads())
        with pytest.raises(ConnectionClosed):
            client.square(1.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_of_a_fork_calls_on_its_own_connections() -> None:
    with (
        FakeServer(echo) as one,
        FakeServer(echo) as two,
        calculate.connect(target(one, two), balancing=Balancing("round_robin")) as client,
    ):
        client.square(1.0)
        child = os.fork()
        if child == 0:
            ok = [client.square(float(n)) for n in range(4)] == [0.0, 1.0, 2.0, 3.0]
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [client.square(float(n)) for n in range(4)] == [0.0, 1.0, 2.0, 3.0]
        assert client.counters() is not None


def test_many_threads_share_it() -> None:
    with FakeServer(echo) as one, FakeServer(echo) as two, calculate.connect(target(one, two)) as client:
        with ThreadPoolExecutor(16) as pool:
            values = [float(n) for n in range(2000)]
            assert list(pool.map(client.square, values)) == values
        counters = client.counters()
        assert counters is not None
        assert (counters.calls, counters.failures) == (2000, 0)
        assert all(member.in_flight == 0 for member in client._channel._cluster.members())  # type: ignore[union-attr]


def test_no_server_at_all_is_one_clear_error(caller: Any) -> None:
    with caller.connect(target(nobody(), nobody())) as client, pytest.raises(ConnectError, match="cannot connect to"):
        client.square(1.0)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"balance": "fair"}, "balance 'fair' is not known; use 'least_loaded', 'round_robin'"),
        ({"attempts": 4}, "attempts is 4; use a whole number from 1 to 3"),
        ({"attempts": 0}, "attempts is 0"),
        ({"attempts": True}, "attempts is True"),
        ({"hedge": "p50"}, "hedge 'p50' is not known; use 'off', 'p95'"),
        ({"attempt_timeout": 0}, "attempt_timeout is 0"),
        ({"attempt_timeout": float("nan")}, "attempt_timeout is nan"),
        ({"warm_up": -1}, "warm_up is -1"),
        ({"connections_per_instance": 65}, "connections_per_instance is 65"),
        ({"zk_auth": "alice"}, "zk_auth has no colon; write USER:PASSWORD"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match="^" + what.replace("(", r"\(")):
        Balancing(**settings)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(Balancing(zk_auth="alice:secret"))


def test_both_methods_may_be_repeated() -> None:
    assert SQUARE.idempotent
    assert CAL.idempotent


def test_an_instance_whose_host_is_no_name_is_not_noticed(caller: Any) -> None:
    with (
        FakeServer(echo) as server,
        caller.connect(f"a..b:1,{server.address}", balancing=Balancing("round_robin")) as client,
    ):
        for n in range(6):
            assert client.square(float(n)) == float(n)
        assert client.counters().retries > 0


def test_what_is_no_method_leaves_nothing_behind(caller: Any) -> None:
    with FakeServer(echo) as one, FakeServer(echo) as two, caller.connect(target(one, two)) as client:
        with pytest.raises(AttributeError):
            client.call("Square", square_args(1.0))
        cluster = getattr(client, "_client", client)._channel._cluster
        assert [member.in_flight for member in cluster.members()] == [0, 0]


def test_closing_ends_a_call_that_waits_for_its_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calculate._cluster.back_off_us", lambda *_: 300_000)
    asked = asyncio.Event()

    def hangs_up(peer: Peer) -> None:
        peer.read_call()
        loop.call_soon_threadsafe(asked.set)

    async def run() -> None:
        client = await aio.connect(target(one, two))
        call = asyncio.create_task(client.square(1.0))
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
        await asyncio.sleep(0.05)
        await client.close()
        with pytest.raises(ConnectionClosed, match="was closed"):
            await asyncio.wait_for(call, PATIENCE_S)

    loop = asyncio.new_event_loop()
    with FakeServer(hangs_up) as one, FakeServer(hangs_up) as two:
        loop.run_until_complete(run())
        assert one.connections + two.connections == 1
    loop.close()
