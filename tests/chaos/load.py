"""Who calls: one program a language, all at once, and how their calls went."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from processes import ROOT

PYTHON = ROOT / "clients/python/.venv/bin/python"
JAR = ROOT / "clients/java/target/calculate-client.jar"
JAVA_CLASSES = ROOT / "target/chaos/java"
LANGUAGES = ("Rust", "Python", "Java")
MILLION = 1_000_000

COMMANDS: dict[str, list[str | Path]] = {
    "Rust": [ROOT / "target/quick/examples/caller"],
    "Python": [PYTHON, ROOT / "tests/chaos/caller.py"],
    "Java": ["java", "-cp", f"{JAR}:{JAVA_CLASSES}", "Caller"],
}
PIPELINED = {"Rust": "pipelined", "Python": "asyncio", "Java": "futures"}
THREADS = dict.fromkeys(LANGUAGES, "threads")


@dataclass
class Window:
    """How the calls of a while went. Latencies in ms."""

    calls: int = 0
    failed: int = 0
    wrong: int = 0
    p99_ms: float = 0
    slowest_ms: float = 0
    errors: list[str] = field(default_factory=list)
    failed_at: dict[str, list[int]] = field(default_factory=dict)
    """By instance: when attempts failed that were followed by another, in ms since 1970."""

    def add(self, other: Window) -> None:
        self.calls += other.calls
        self.failed += other.failed
        self.wrong += other.wrong
        self.slowest_ms = max(self.slowest_ms, other.slowest_ms)
        self.errors = (self.errors + [error for error in other.errors if error not in self.errors])[:3]


class Callers:
    """Programs that call until they are told to end. Each asks for numbers of its own million."""

    def __init__(
        self,
        targets: str | Mapping[str, str],
        *,
        totals: dict[str, Window],
        styles: Mapping[str, str] = THREADS,
        **settings: object,
    ) -> None:
        """``targets``: one for all languages, or one for each. ``totals``: what is added to. Others: see caller.py."""
        self._totals = totals
        self._programs: dict[str, subprocess.Popen[str]] = {}
        environment = {**os.environ, "XDG_CACHE_HOME": tempfile.mkdtemp(prefix="chaos-")}
        pairs = [f"{key}={value}" for key, value in settings.items()]
        for number, language in enumerate(LANGUAGES):
            target = targets if isinstance(targets, str) else targets[language]
            own = [target, *pairs, f"style={styles[language]}", f"above={number * MILLION}"]
            self._programs[language] = subprocess.Popen(
                [*COMMANDS[language], *own], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
        for language, program in self._programs.items():
            first = program.stdout.readline()
            assert first == "calling\n", f"{language}: {first!r}"

    def mark(self) -> dict[str, Window]:
        """How it went since the last time, by language."""
        for program in self._programs.values():
            program.stdin.write("\n")
            program.stdin.flush()
        return self._read()

    def call_at_least(self, calls: int) -> None:
        """Until every language has made so many calls more."""
        made = dict.fromkeys(LANGUAGES, 0)
        while min(made.values()) < calls:
            time.sleep(0.2)
            for language, window in self.mark().items():
                made[language] += window.calls

    def __enter__(self) -> Callers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            for program in self._programs.values():
                program.kill()
            return
        for program in self._programs.values():
            program.stdin.close()
        self._read()
        for program in self._programs.values():
            program.wait(60)

    def _read(self) -> dict[str, Window]:
        windows = {
            language: Window(**json.loads(program.stdout.readline())) for language, program in self._programs.items()
        }
        for language, window in windows.items():
            self._totals.setdefault(language, Window()).add(window)
        return windows


def compile_java() -> None:
    """Once, not with every start."""
    chaos = ROOT / "tests/chaos"
    sources = [chaos / "Caller.java", *(chaos / "newer/java").rglob("*.java")]
    subprocess.run(["javac", "-nowarn", "-d", JAVA_CLASSES, "-cp", JAR, *sources], check=True)
