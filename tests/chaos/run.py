"""make chaos: real servers behind a real ZooKeeper, load from three languages, and what goes wrong in production.

Prints a table: by scenario and language, the calls made, failed and wrong, and what was found beside. Exit code 1 when
a call failed that must not, when an answer was wrong, or when something was not as it should be. CHAOS=short (what CI
runs) does each thing once or twice; CHAOS=long is the full table. Arguments choose scenarios by words in their names.
`make chaos` builds what is needed.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import scenarios
from load import LANGUAGES, compile_java
from spoiled import spoiled_replies
from stage import LONG, Stage
from versions import versions_at_once


@dataclass(frozen=True)
class Scenario:
    name: str
    play: Callable[[Stage], None]
    zookeepers: int = 1
    proxied: bool = False
    may_fail: bool = False
    """Calls may; wrong answers may not be."""
    only_long: bool = False


SCENARIOS = [
    Scenario("rolling restart of 5", scenarios.rolling_restart),
    Scenario("kill -9 of one of 5", scenarios.kill_one),
    Scenario("SIGSTOP of one of 5", scenarios.stop_one),
    Scenario("every session expires", scenarios.sessions_expire),
    Scenario("registry empties its list", scenarios.list_emptied),
    Scenario("5, 10, 3 instances", scenarios.scale),
    Scenario("versions, old and new", versions_at_once),
    Scenario("replies late, cut, missing", spoiled_replies, may_fail=True),
    Scenario("ZooKeeper gone, back empty", scenarios.registry_gone),
    Scenario("5, 10, 3: even, weighted", scenarios.even_by_weight, proxied=True),
    Scenario("5, 10, 3: even, default", scenarios.even_by_default, proxied=True, only_long=True),
    Scenario("leader of 3 killed", scenarios.leader_killed, zookeepers=3),
]


def main() -> int:
    words = sys.argv[1:]
    chosen = [each for each in SCENARIOS if not words or any(word in each.name for word in words)]
    chosen = [each for each in chosen if LONG or words or not each.only_long]
    compile_java()
    print(f"{'scenario':27} {'language':8} {'calls':>8} {'failed':>7} {'wrong':>6} {'slowest':>10}", flush=True)
    began = time.monotonic()
    faults = 0
    with stages() as stage_for:
        for scenario in chosen:
            faults += run(scenario, stage_for(scenario))
    minutes = (time.monotonic() - began) / 60
    said = "all is as it should be" if faults == 0 else f"{faults} faults"
    print(f"{said}; {minutes:.1f} minutes")
    return 0 if faults == 0 else 1


@contextmanager
def stages() -> Iterator[Callable[[Scenario], Stage]]:
    """Scenarios that need the same stage play on one, one after the other."""
    now: list[tuple[tuple[int, bool], Stage]] = []

    def stage_for(scenario: Scenario) -> Stage:
        needs = (scenario.zookeepers, scenario.proxied)
        if not now or now[0][0] != needs:
            end()
            now.append((needs, Stage(nodes=scenario.zookeepers, proxied=scenario.proxied)))
        now[0][1].begin()
        return now[0][1]

    def end() -> None:
        while now:
            now.pop()[1].end()

    try:
        yield stage_for
    finally:
        end()


def run(scenario: Scenario, stage: Stage) -> int:
    """Plays it, and prints its rows; gives the number of faults."""
    signal.alarm(7200 if LONG else 600)
    scenario.play(stage)
    signal.alarm(0)
    faults = len(stage.faults)
    for language in LANGUAGES:
        total = stage.totals[language]
        faults += total.wrong + (total.calls == 0) + (0 if scenario.may_fail else total.failed)
        row = f"{scenario.name:27} {language:8} {total.calls:8} {total.failed:7} {total.wrong:6}"
        print(row, f"{total.slowest_ms:7.0f} ms", flush=True)
        if not scenario.may_fail:
            print(*(f"    {error}\n" for error in total.errors), sep="", end="")
    print(
        *(f"    {text}\n" for text in stage.found),
        *(f"    FAULT: {text}\n" for text in stage.faults),
        sep="",
        end="",
        flush=True,
    )
    return faults


if __name__ == "__main__":
    sys.exit(main())
