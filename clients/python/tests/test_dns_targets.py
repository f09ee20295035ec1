"""A client of all addresses that a name has."""

from __future__ import annotations

import socket
from typing import Any

import certificates
import pytest
from fakes import FakeServer, echo
from programs import needs_server, serving

from calculate import Balancing, ConnectError, Event


class Names:
    """What stands in for the DNS."""

    def __init__(self) -> None:
        self.addresses: list[str] | OSError = []
        self.asked: list[str] = []

    def look_up(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if isinstance(self.addresses, OSError):
            raise self.addresses
        return self.addresses


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr("calculate._resolve.look_up", names.look_up)
    monkeypatch.setattr("calculate._resolve.RESOLVE_S", 0.02)
    monkeypatch.setattr("calculate._resolve._RESOLVE_GAP_S", 0.01)
    return names


def kinds(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.instance) for event in events]


def test_the_real_resolver_is_asked(caller: Any) -> None:
    with FakeServer(echo) as server, caller.connect(f"dns://localhost:{server.address.rpartition(':')[2]}") as client:
        assert [client.square(float(n)) for n in range(4)] == [0.0, 1.0, 2.0, 3.0]


def test_addresses_come_and_go(caller: Any, names: Names) -> None:
    events: list[Event] = []
    names.addresses = ["127.0.0.1"]
    with FakeServer(echo) as server:
        port = server.address.rpartition(":")[2]
        balancing = Balancing("round_robin", on_event=events.append)
        with caller.connect(f"dns://calculate.test:{port}", balancing=balancing) as client:
            assert client.square(4.0) == 4.0
            names.addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
            caller.eventually(lambda: ("instance_up", f"127.0.0.2:{port}") in kinds(events))
            names.addresses = ["127.0.0.1"]
            caller.eventually(lambda: ("instance_down", f"127.0.0.2:{port}") in kinds(events))
            assert client.square(4.0) == 4.0
    assert set(names.asked) == {"calculate.test"}


def test_a_name_that_is_lost_is_kept_and_found_again(caller: Any, names: Names) -> None:
    events: list[Event] = []
    names.addresses = ["127.0.0.1"]
    with FakeServer(echo) as server:
        port = server.address.rpartition(":")[2]
        balancing = Balancing(on_event=events.append)
        with caller.connect(f"dns://calculate.test:{port}", balancing=balancing) as client:
            names.addresses = socket.gaierror(socket.EAI_AGAIN, "temporary failure")
            caller.eventually(lambda: ("list_stale", "") in kinds(events))
            assert client.square(4.0) == 4.0
            names.addresses = ["127.0.0.1"]
            caller.eventually(lambda: ("list_fresh", "") in kinds(events))
    detail = next(event.detail for event in events if event.kind == "list_stale")
    assert detail == "cannot look up calculate.test (temporary failure)"


def test_a_name_that_there_is_not_is_one_clear_error(caller: Any, names: Names) -> None:
    names.addresses = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    what = r"^no instance of dns://calculate\.test:9 was found within 0\.2 s: cannot look up calculate\.test \(Name or"
    with pytest.raises(ConnectError, match=what):
        caller.connect("dns://calculate.test:9", timeout=0.2)


def test_a_failing_instance_has_the_name_looked_up_anew(
    caller: Any, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calculate._resolve.RESOLVE_S", 1000)
    names.addresses = ["127.0.0.1"]
    with FakeServer(echo) as server:
        port = server.address.rpartition(":")[2]
        with caller.connect(f"dns://calculate.test:{port}") as client:
            assert client.square(4.0) == 4.0
            assert len(names.asked) == 1
    with caller.connect(f"dns://calculate.test:{port}", balancing=Balancing(attempts=1)) as client:
        before = len(names.asked)
        with pytest.raises(ConnectError):
            client.square(4.0)
        caller.eventually(lambda: len(names.asked) > before)


@needs_server
def test_the_certificate_is_for_the_name(caller: Any, names: Names) -> None:
    certificates.make()
    names.addresses = ["127.0.0.1"]
    shown = certificates.pair("elsewhere")
    tls = certificates.trusting()
    arguments = ("--tls", "require", "--tls-certificate", shown["certificate"], "--tls-key", shown["key"])
    with serving(*arguments) as address:
        port = address.rpartition(":")[2]
        with caller.connect(f"dns://elsewhere.test:{port}", tls=tls) as client:
            assert client.square(9.0) == 3.0
        with (
            caller.connect(f"dns://calculate.test:{port}", tls=tls) as client,
            pytest.raises(ConnectError, match=r"elsewhere\.test.*not for calculate\.test"),
        ):
            client.square(9.0)
