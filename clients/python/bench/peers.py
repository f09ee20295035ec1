"""Starts the servers that the benchmarks talk to, each on its own core, away from the client's."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = Path(os.environ.get("CALCULATE_PROGRAM", HERE.parents[2] / "target" / "release" / "calculate"))


def cores() -> tuple[set[int], set[int]]:
    """The client's core and the server's: two different ones where there are two."""
    available = sorted(os.sched_getaffinity(0))
    return {available[-1]}, {available[0]}


@contextlib.contextmanager
def running(command: Sequence[str | Path], core: set[int]) -> Iterator[str]:
    """Runs a server that says ``listening on HOST:PORT`` on its first line; gives HOST:PORT."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit(f"{command[0]} did not start; its first line is {line!r}")
        yield line.removeprefix("listening on ").strip()
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            process.kill()
        process.stdout.close()


def calculate_server(core: set[int]) -> contextlib.AbstractContextManager[str]:
    """The Rust server, or what $CALCULATE_PROGRAM names."""
    if not SERVER.exists():
        sys.exit(f"no server at {SERVER}; build it with 'cargo build --release' or name another in CALCULATE_PROGRAM")
    return running([SERVER, "serve", "--listen", "127.0.0.1:0"], core)
