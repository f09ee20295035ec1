"""What goes wrong with servers and with the registry. No call may fail in any of it, and none be answered wrongly."""

from __future__ import annotations

import signal
import time

from load import LANGUAGES, Callers, Window
from processes import Outsider, until
from stage import LONG, Stage

CALLERS = 4
"""That call at once: as many calls may be under way when an instance dies."""


def rolling_restart(stage: Stage) -> None:
    with stage.calling():
        for _ in range(10 if LONG else 1):
            for server in stage.fleet.servers:
                server.stop()
                server.start()
                stage.fleet.until_registered()


def kill_one(stage: Stage) -> None:
    most, longest = 0, 0
    with stage.calling() as callers:
        for round_ in range(10 if LONG else 2):
            time.sleep(1)
            callers.mark()
            server = stage.fleet.servers[round_ % 5]
            server.kill()
            # So long the others take a fifth more, and the dead one would have had a fifth of all.
            time.sleep(5 if LONG else 3)
            for window in callers.mark().values():
                times = window.failed_at.get(server.id, [])
                most = max(most, len(times))
                longest = max(longest, max(times, default=0) - min(times, default=0))
            server.start()
            stage.fleet.until_registered()
    # Calls that were under way fail together; the first that does keeps all later ones away.
    text = f"failed attempts at the dead one, at most: {most} a client and round, within {longest} ms"
    stage.expect(most <= CALLERS and longest < 500, text)


def stop_one(stage: Stage) -> None:
    server = stage.fleet.servers[2]
    with stage.calling() as callers:
        time.sleep(1)
        callers.mark()
        time.sleep(3)
        before = callers.mark()
        server.signal(signal.SIGSTOP)
        stopped = _after_two_seconds(callers, 8 if LONG else 3)
        server.signal(signal.SIGCONT)
        again = _after_two_seconds(callers, 8 if LONG else 3)
        stage.fleet.until_registered()
    for language in LANGUAGES:
        normal, during, after = (each[language].p99_ms for each in (before, stopped, again))
        text = f"{language}: p99 {normal:.1f} ms; from 2 s after SIGSTOP {during:.1f} ms, after SIGCONT {after:.1f} ms"
        # A call to the stopped one takes a second, an attempt's time.
        stage.expect(max(during, after) < normal + 100, text)


def _after_two_seconds(callers: Callers, seconds: float) -> dict[str, Window]:
    time.sleep(2)
    callers.mark()
    time.sleep(seconds)
    return callers.mark()


def registry_gone(stage: Stage) -> None:
    with stage.calling():
        time.sleep(1)
        stage.zookeeper.ask("stop")
        time.sleep(60 if LONG else 5)
        stage.zookeeper.ask("clear")
        stage.fleet.until_registered()
        time.sleep(2)


def sessions_expire(stage: Stage) -> None:
    outsider = stage.outsider()
    slowest = 0.0
    with stage.calling():
        for _ in range(5 if LONG else 2):
            time.sleep(1)
            before = outsider.owners()
            stage.zookeeper.ask("expire")
            slowest = max(slowest, _until_registered_anew(outsider, before))
            places = [(instance["address"], instance["port"]) for instance in stage.fleet.registered()]
            stage.expect_quietly(len(set(places)) == len(places) == 5, f"not five instances, once each: {places}")
    outsider.end()
    # The aim is 1 s, which a busy machine has missed by a tenth of one.
    stage.expect(slowest <= 2, f"all registered anew after {slowest:.2f} s at most, each once")


def list_emptied(stage: Stage) -> None:
    """Somebody deletes the nodes of all instances, and then the folder they are in, and all of the registry."""
    outsider = stage.outsider()
    slowest = 0.0
    with stage.calling():
        for _ in range(5 if LONG else 1):
            for delete in (outsider.empty_list, outsider.delete_folder, outsider.delete_base):
                time.sleep(1)
                delete()
                slowest = max(slowest, until(lambda: len(outsider.owners()) == 5, "all are registered again"))
        time.sleep(2)
    outsider.end()
    stage.say(f"all registered again after {slowest:.2f} s at most")


def leader_killed(stage: Stage) -> None:
    with stage.calling():
        for _ in range(3 if LONG else 1):
            time.sleep(1)
            leader = stage.zookeeper.ask("leader").split()[-1]
            stage.zookeeper.ask(f"stop {leader}")
            time.sleep(10 if LONG else 4)
            stage.zookeeper.ask(f"start {leader}")
            stage.fleet.until_registered()


def scale(stage: Stage) -> None:
    with stage.calling():
        stage.fleet.grow(10)
        time.sleep(2)
        stage.fleet.shrink(3)
        time.sleep(2)
        stage.fleet.grow(5)


def even_by_weight(stage: Stage) -> None:
    _even(stage, "weighted", most_percent=10, rate=0)


def even_by_default(stage: Stage) -> None:
    """It goes by load and latency, too: at a steady rate that leaves servers idle, both are the same nearly everywhere."""
    _even(stage, "least_loaded", most_percent=20, rate=500)


def _even(stage: Stage, balance: str, *, most_percent: float, rate: int) -> None:
    """5, 10, 3 instances with different weights: 2 s after each step, what each gets of each language's calls."""
    worst = dict.fromkeys(LANGUAGES, 0.0)
    with stage.calling(balance=balance, rate=rate, callers=4) as callers:
        for count in (5, 10, 3):
            stage.fleet.grow(count)
            stage.fleet.shrink(count)
            time.sleep(2)
            for language, percent in _unevenness(stage, callers).items():
                worst[language] = max(worst[language], percent)
    for language, percent in worst.items():
        text = f"{language}, {balance}: an instance's load differs by {percent:.1f} % from its weight's share at most"
        stage.expect(percent <= most_percent, text)


def _unevenness(stage: Stage, callers: Callers) -> dict[str, float]:
    """By how many per cent the farthest instance is off its share, in so many calls that chance is little of it."""
    a_weight = sum(server.weight for server in stage.fleet.servers) / min(s.weight for s in stage.fleet.servers)
    callers.mark()
    for server in stage.fleet.servers:
        server.proxy.take()
    callers.call_at_least(round(2000 * a_weight))
    taken = {server.id: server.proxy.take()["calls"] for server in stage.fleet.servers}
    weights = sum(server.weight for server in stage.fleet.servers)
    worst = dict.fromkeys(LANGUAGES, 0.0)
    for million, language in enumerate(LANGUAGES):
        calls = sum(counts.get(str(million), 0) for counts in taken.values())
        for server in stage.fleet.servers:
            share = calls * server.weight / weights
            worst[language] = max(worst[language], abs(taken[server.id].get(str(million), 0) / share - 1) * 100)
    return worst


def _until_registered_anew(outsider: Outsider, before: dict[str, int]) -> float:
    """Until all have a node of another session than before; gives how long that took, in seconds."""

    def are_others() -> bool:
        now = outsider.owners()
        return now.keys() == before.keys() and all(now[name] != owner for name, owner in before.items())

    return until(are_others, "all are registered anew")
