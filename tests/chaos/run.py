#!/usr/bin/env python3
"""make chaos: real servers behind a real ZooKeeper, steady load from three languages, and what goes wrong in production.

Prints a table: scenario × language → calls made, failed, wrong. Exit code 1 when a call failed or was answered wrongly.
CHAOS=short (what CI runs) does each thing once or twice; CHAOS=long is the full table. Needs the release server, the
example `caller`, the Python client in its virtual environment and the Java jar: `make chaos` builds them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "target/release/calculate"
PYTHON = ROOT / "clients/python/.venv/bin/python"
JAR = ROOT / "clients/java/target/calculate-client.jar"
LONG = os.environ.get("CHAOS", "short") == "long"
RATE = "100"


class ZooKeeper:
    def __init__(self, *arguments: str) -> None:
        command = [ROOT / "tests/zookeeper/start.sh", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        assert first.startswith("zookeeper on "), first
        self.address = first.split()[-1]

    def tell(self, command: str) -> str:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert not answer.startswith("error"), f"{command}: {answer}"
        return answer

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Server:
    """An instance with an id of its own. Its port stays the same over its restarts."""

    def __init__(self, base: str, number: int) -> None:
        self.base, self.id, self.port = base, f"instance-{number}", 0
        self.start()

    def start(self) -> None:
        arguments = ["--listen", f"127.0.0.1:{self.port}", "--workers", "1", "--register", self.base]
        arguments += ["--instance-id", self.id, "--lame-duck", "0.5", "--zk-session-timeout", "2"]
        self.process = subprocess.Popen(
            [SERVER, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        first = self.process.stdout.readline()
        assert first.startswith("listening on "), first
        self.port = int(first.rsplit(":", 1)[1])

    def stop(self) -> None:
        self.process.terminate()
        code = self.process.wait(60)
        assert code == 0, f"{self.id} ended with {code}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def signal(self, which: int) -> None:
        self.process.send_signal(which)


class Fleet:
    def __init__(self, zookeeper: ZooKeeper, count: int) -> None:
        self.base = f"zk://{zookeeper.address}/chaos-{os.getpid()}-{time.monotonic_ns()}"
        self.zookeeper = zookeeper
        self.servers = [Server(self.base, number) for number in range(count)]
        self.until(lambda: self.registered() == count, f"{count} instances are registered")

    @property
    def target(self) -> str:
        return f"{self.base}/calculate"

    def instances(self) -> list[dict]:
        told = subprocess.run([SERVER, "instances", self.target, "--json"], capture_output=True, text=True)
        return json.loads(told.stdout)["instances"] if told.returncode == 0 else []

    def registered(self) -> int:
        return len(self.instances())

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"after {seconds} s still not so: {what}"
            time.sleep(0.1)

    def grow(self, count: int) -> None:
        while len(self.servers) < count:
            self.servers.append(Server(self.base, len(self.servers)))

    def shrink(self, count: int) -> None:
        while len(self.servers) > count:
            self.servers.pop().stop()

    def end(self) -> None:
        for server in self.servers:
            server.signal(signal.SIGCONT)
            server.kill()


class Callers:
    """One program a language, all calling at a steady rate."""

    def __init__(self, target: str) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": tempfile.mkdtemp(prefix="chaos-")}
        commands = {
            "Rust": [ROOT / "target/quick/examples/caller"],
            "Python": [PYTHON, ROOT / "tests/chaos/caller.py"],
            "Java": ["java", "-cp", JAR, ROOT / "tests/chaos/Caller.java"],
        }
        self.programs = {}
        for language, command in commands.items():
            self.programs[language] = subprocess.Popen(
                [*command, target, RATE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
        for language, program in self.programs.items():
            first = program.stdout.readline()
            assert first == "calling\n", f"{language}: {first!r}"

    def end(self) -> dict[str, dict]:
        for program in self.programs.values():
            program.stdin.close()
        counts = {language: json.loads(program.stdout.readline()) for language, program in self.programs.items()}
        for program in self.programs.values():
            program.wait(60)
        return counts


def rolling_restart(fleet: Fleet) -> None:
    for _ in range(10 if LONG else 1):
        for server in fleet.servers:
            server.stop()
            server.start()
            fleet.until(lambda: fleet.registered() == 5, "all are registered")


def kill_one(fleet: Fleet) -> None:
    for round_ in range(10 if LONG else 2):
        server = fleet.servers[round_ % 5]
        server.kill()
        time.sleep(1)
        server.start()
        fleet.until(lambda: fleet.registered() == 5, "all are registered")
        time.sleep(2)


def stop_one(fleet: Fleet) -> None:
    fleet.servers[2].signal(signal.SIGSTOP)
    time.sleep(10 if LONG else 4)
    fleet.servers[2].signal(signal.SIGCONT)
    fleet.until(lambda: fleet.registered() == 5, "all are registered")


def registry_gone(fleet: Fleet) -> None:
    fleet.zookeeper.tell("stop")
    time.sleep(60 if LONG else 5)
    fleet.zookeeper.tell("clear")
    fleet.until(lambda: fleet.registered() == 5, "all are registered again")
    time.sleep(2)


def sessions_expire(fleet: Fleet) -> None:
    for _ in range(5 if LONG else 1):
        fleet.zookeeper.tell("expire")
        began = time.monotonic()
        fleet.until(lambda: fleet.registered() == 5, "all are registered again")
        print(f"    all registered again {time.monotonic() - began:.1f} s after every session had expired", flush=True)


def scale(fleet: Fleet) -> None:
    fleet.grow(10)
    fleet.until(lambda: fleet.registered() == 10, "ten are registered")
    time.sleep(2)
    fleet.shrink(3)
    fleet.until(lambda: fleet.registered() == 3, "three are registered")
    time.sleep(2)


def leader_killed(fleet: Fleet) -> None:
    leader = fleet.zookeeper.tell("leader").split()[-1]
    fleet.zookeeper.tell(f"stop {leader}")
    time.sleep(10 if LONG else 4)
    fleet.zookeeper.tell(f"start {leader}")
    fleet.until(lambda: fleet.registered() == 5, "all are registered")


SCENARIOS: list[tuple[str, int, Callable[[Fleet], None]]] = [
    ("rolling restart of 5", 1, rolling_restart),
    ("kill -9 of one of 5", 1, kill_one),
    ("SIGSTOP of one of 5", 1, stop_one),
    ("every session expires", 1, sessions_expire),
    ("5, 10, 3 instances", 1, scale),
    ("ZooKeeper gone, back empty", 1, registry_gone),
    ("leader of 3 nodes killed", 3, leader_killed),
]


def main() -> int:
    wanted = sys.argv[1:]
    failures = 0
    print(f"{'scenario':28} {'language':8} {'calls':>7} {'failed':>7} {'wrong':>6} {'slowest':>9}", flush=True)
    for name, nodes, scenario in SCENARIOS:
        if wanted and not any(word in name for word in wanted):
            continue
        zookeeper = ZooKeeper("--nodes", str(nodes))
        fleet = Fleet(zookeeper, 5)
        try:
            callers = Callers(fleet.target)
            time.sleep(1)
            scenario(fleet)
            time.sleep(1)
            for language, counts in callers.end().items():
                failed, wrong = counts["failed"], counts["wrong"]
                failures += failed + wrong + (counts["calls"] == 0)
                row = f"{name:28} {language:8} {counts['calls']:7} {failed:7} {wrong:6} {counts['slowest_ms']:7.0f} ms"
                print(row, *(f"\n    {error}" for error in counts["errors"]), flush=True)
        finally:
            fleet.end()
            zookeeper.end()
    print("no call failed, no answer was wrong" if failures == 0 else f"{failures} calls failed or were wrong")
    return 0 if failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
