"""The pure parts of discovery and balancing against the vectors that all clients share."""

from __future__ import annotations

import re
from typing import Any

import pytest
from vectors import pairs, rows, scenarios, split_mix

from calculate._balance import Balance, Candidates, Wanted
from calculate._hash import Ring, hash64, points
from calculate._health import Health
from calculate._instance import BadNode, Instance, read_node
from calculate._instances import Instances
from calculate._latency import Latency, Percentile
from calculate._member import Member
from calculate._one_line import one_line
from calculate._retry import Budget, back_off_us, is_cut_short, may_retry
from calculate._service_target import (
    DnsTarget,
    ListTarget,
    ZooKeeperTarget,
    parse_service_target,
)
from calculate._target import UnixTarget


def member(text: str) -> tuple[Member[None], dict[str, str]]:
    """From ``ID;key=value;key=value``."""
    id_, *fields = text.split(";")
    values = pairs(";".join(fields), ";") if fields else {}
    version = values.get("version", "any")
    instance = Instance(
        id=id_,
        address=id_,
        port=1,
        versions=None if version == "any" else tuple(int(v) for v in version.split(",")),
        group=values.get("group", "default"),
        weight=int(values.get("weight", 100)),
        zone=values.get("zone", ""),
        enabled=values.get("enabled") != "no",
    )
    made: Member[None] = Member(instance, -float(values["age"]) if "age" in values else None, None)
    made.in_flight = int(values.get("in_flight", 0))
    if "latency" in values:
        made.latency.add(0, float(values["latency"]))
    if values.get("avoided") == "yes":
        made.avoid(0)
    return made, values


@pytest.mark.parametrize(("kind", "instances", "key", "result"), [row[1:] for row in rows("hash.tsv")])
def test_hash(kind: str, instances: str, key: str, result: str) -> None:
    data = bytes.fromhex(key) if key != "-" else b""
    members = [member(text)[0] for text in instances.split(" ")]
    if kind == "hash":
        assert f"{hash64(data):016x}" == result
    elif kind == "points":
        assert str(points(members[0].weight)) == result
    elif kind == "ring":
        ring = Ring(members)
        owners = [members[next(ring.clockwise(point))].id for point in ring.points]
        assert " ".join(f"{p:016x}={id_}" for p, id_ in zip(ring.points, owners, strict=True)) == result
    else:
        assert Ring(members).pick(members, data).id == result


@pytest.mark.parametrize(("settings", "instances", "picks"), [row[1:] for row in rows("balance.tsv")])
def test_balance(settings: str, instances: str, picks: str) -> None:
    given = pairs(settings)
    made = [member(text) for text in instances.split(" ")]
    range_ = given.get("version")
    target = parse_service_target("zk://h:1/b/s" + (f"?version={range_}" if range_ else ""))
    assert isinstance(target, ZooKeeperTarget)
    wanted = Wanted(target.versions, given.get("group", "default"), given.get("zone", ""))
    out = {each.id for each, values in made if values.get("ejected") == "yes"}
    candidates = Candidates([each for each, _ in made], wanted, out)
    strategy: Any = given["balance"]
    balance = Balance(
        strategy, int(given.get("warm_up", 1000)), split_mix(int(given.get("seed", 0))), int(given.get("counter", 0))
    )
    tried = given["tried"].split(",") if "tried" in given else []
    key = given["key"].encode() if "key" in given else None
    picked = []
    for _ in range(int(given["calls"])):
        some = candidates.untried(tried) or candidates.again()
        if not some:
            picked.append("none")
            continue
        chosen = balance.pick(some, 0, key)
        picked.append(chosen.id)
        if given.get("hold") == "yes":
            chosen.in_flight += 1
    assert " ".join(picked) == picks


@pytest.mark.parametrize(("samples", "at", "latency", "class_"), [row[1:] for row in rows("latency.tsv")])
def test_latency(samples: str, at: str, latency: str, class_: str) -> None:
    seen = Latency()
    for when, kind, ms in re.findall(r"(\d+)([=!+])([\d.]*)", samples):
        if kind == "=":
            seen.add(float(when), float(ms))
        elif kind == "!":
            seen.add_failure(float(when), float(ms))
        else:
            seen = Latency()
    assert seen.at(float(at)) == pytest.approx(float(latency), abs=0.000002)
    assert seen.class_at(float(at)) == int(class_)


@pytest.mark.parametrize("steps", scenarios("health.tsv").values(), ids=scenarios("health.tsv"))
def test_health(steps: list[list[str]]) -> None:
    first, *names = steps[0][2].split(" ")
    health = Health(split_mix(int(pairs(first)["seed"])))
    probed: set[str] = set()
    for at, event, name, expect in steps[1:]:
        now = float(at)
        if event == "look":
            out = health.out()
            probed = (probed & out) | set(health.due(now))
            sets = {"in": [n for n in names if n not in out], "out": sorted(out), "due": sorted(probed)}
            seen = " ".join(f"{key}={','.join(ids) or '-'}" for key, ids in sets.items())
        elif event == "fail":
            was_out = name in health.out()
            length = health.failed(name, now, names)
            seen = f"ejected {length:.0f}" if length is not None else "stays" if was_out else "spared"
        elif event == "probe_failed":
            seen = f"ejected {health.probe_failed(name, now):.0f}"
            probed.discard(name)
        else:
            assert health.probe_well(name)
            seen = "returned"
        assert seen == expect, (at, event, name)


def budget_answers(text: str) -> str:
    budget = Budget(0)
    answers = []
    for step in text.split(" "):
        what, at = step.split("@")
        if what == "CALL":
            budget.call(float(at))
        else:
            answers.append("yes" if budget.take(float(at)) else "no")
    return " ".join(answers)


def limit(given: dict[str, str]) -> str:
    cut = is_cut_short(
        attempt=int(given["attempt"]),
        attempts=int(given["attempts"]),
        idempotent=given["idempotent"] == "yes",
        others=given["others"] == "yes",
        token=given["token"] == "yes",
    )
    return str(min(int(given["attempt_timeout"]), int(given["remaining"])) if cut else int(given["remaining"]))


def decision(given: dict[str, str]) -> str:
    outcome: Any = given["error"]
    again = may_retry(
        outcome,
        idempotent=given["idempotent"] == "yes",
        attempt=int(given["attempt"]),
        attempts=int(given["attempts"]),
        others=given["others"] == "yes",
        overloaded=int(given["overloaded"]),
    )
    return "retry" if again else "give"


def p95(text: str) -> str:
    seen = Percentile()
    for part in text.split(" ") if text != "-" else ():
        us, _, count = part.partition("x")
        for _ in range(int(count or 1)):
            seen.add(int(us) / 1000)
    found = seen.p95()
    return "-" if found is None else f"{found * 1000:.0f}"


def back_offs(text: str) -> str:
    given = pairs(text)
    next_u64 = split_mix(int(given["seed"]))
    return " ".join(str(back_off_us(next_u64, k)) for k in range(1, int(given["retries"]) + 1))


@pytest.mark.parametrize(("kind", "text", "result"), [row[1:] for row in rows("retry.tsv")])
def test_retry(kind: str, text: str, result: str) -> None:
    if kind == "budget":
        assert budget_answers(text) == result
    elif kind == "back_off":
        assert back_offs(text) == result
    elif kind == "limit":
        assert limit(pairs(text)) == result
    elif kind == "decide":
        assert decision(pairs(text)) == result
    else:
        assert p95(text) == result


@pytest.mark.parametrize(("hosted", "asked", "called"), [row[1:] for row in rows("versions.tsv")])
def test_versions(hosted: str, asked: str, called: str) -> None:
    versions = None if hosted == "-" else tuple(map(int, hosted.split(",")))
    target = parse_service_target("zk://h:1/b/s" + ("" if asked == "-" else f"?version={asked}"))
    assert isinstance(target, ZooKeeperTarget)
    expected = None if called == "-" else int(called)
    assert Instance("a", "h", 1, versions=versions).called_version(target.versions) == expected


@pytest.mark.parametrize("steps", scenarios("list.tsv").values(), ids=scenarios("list.tsv"))
def test_list(steps: list[list[str]]) -> None:
    instances = Instances()
    for at, event, argument, ids, told in steps:
        now = float(at)
        places = [each.split("=") for each in argument.split(" ") if "=" in each]
        found = [Instance(id_, place, 1) for id_, place in places]
        if event == "read":
            events = instances.read(now, found)
        elif event == "cached":
            events = instances.cached(found)
        elif event == "connected":
            events = instances.connected(now)
        elif event == "lost":
            events = instances.lost()
        elif event == "failed":
            events = instances.failed(argument)
        else:
            events = instances.tick(now)
        seen = " ".join(each.kind + (f"={each.instance}" if each.instance else "") for each in events) or "-"
        assert (" ".join(sorted(instances.by_id)) or "-", seen) == (ids, told), (at, event)


@pytest.mark.parametrize(("text", "fill", "expected"), [row[1:] for row in rows("instances.tsv")])
def test_node(text: str, fill: str, expected: str) -> None:
    content = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
    if fill != "-":
        content = content.ljust(int(fill))
    if expected.startswith("skipped "):
        with pytest.raises(BadNode) as refused:
            read_node("some-id", content)
        word = expected.removeprefix("skipped ")
        assert word == "-" or word in str(refused.value)
        assert str(refused.value).isprintable()
        return
    found = read_node("some-id", content)
    assert found.id == "some-id"
    versions = "any" if found.versions is None else ",".join(map(str, found.versions))
    assert expected == (
        f"address={found.address} port={found.port or '-'} sslPort={found.tls_port or '-'} version={versions} "
        f"group={found.group or '-'} weight={found.weight} zone={found.zone or '-'} "
        f"enabled={'yes' if found.enabled else 'no'} registrationTimeUTC={found.registered}"
    )


@pytest.mark.parametrize(("text", "kind", "parts"), rows("targets.tsv"))
def test_target(text: str, kind: str, parts: str) -> None:
    if kind == "wrong":
        with pytest.raises(ValueError, match="server address") as refused:
            parse_service_target(text)
        message = str(refused.value)
        assert parts in message
        assert repr(text) in message
        assert "zk://" in message
        return
    target = parse_service_target(text)
    if isinstance(target, ZooKeeperTarget):
        assert kind == "zookeeper"
        versions = "any" if target.versions is None else "{}-{}".format(*target.versions)
        rest = f"version={versions} group={target.group} zone={target.zone or '-'}"
        assert parts == f"servers={target.ensemble} path={target.path} {rest}"
    elif isinstance(target, ListTarget):
        assert (kind, parts) == ("list", " ".join(f"{host} {port}" for host, port in target.servers))
    elif isinstance(target, DnsTarget):
        assert (kind, parts) == ("dns", "{} {}".format(*target.server))
    elif isinstance(target, UnixTarget):
        assert (kind, parts) == ("unix", target.path)
    else:
        assert (kind, parts) == ("direct", f"{target.host} {target.port}")


@pytest.mark.parametrize(("text", "line"), rows("one_line.tsv"))
def test_one_line(text: str, line: str) -> None:
    said = re.sub(r"\\u\{([0-9a-f]+)\}", lambda escape: chr(int(escape[1], 16)), text)
    assert one_line(said) == line
