"""The real server, written in Rust. $CALCULATE_PROGRAM names its program; CALCULATE_SKIP_INTEROP=1 leaves it out."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes import PATIENCE_S

_BUILT = Path(__file__).resolve().parents[3] / "target" / "release" / "calculate"
_FIRST = "listening on "

needs_server = pytest.mark.skipif(
    os.environ.get("CALCULATE_SKIP_INTEROP") == "1", reason="CALCULATE_SKIP_INTEROP=1 is set"
)


class Server(NamedTuple):
    """A server that runs."""

    address: str
    process: subprocess.Popen[str]


def program() -> Path:
    """The server's program; fails the test when there is none."""
    path = Path(os.environ.get("CALCULATE_PROGRAM", _BUILT))
    if not path.exists():
        pytest.fail(
            f"no server at {path}; build it with 'cargo build --release', name another in CALCULATE_PROGRAM, "
            "or leave these tests out with CALCULATE_SKIP_INTEROP=1"
        )
    return path


@contextlib.contextmanager
def running(*arguments: str | Path, listen: str = "127.0.0.1:0") -> Iterator[Server]:
    """Runs ``calculate serve`` with these arguments."""
    process = subprocess.Popen(
        [program(), "serve", "--listen", listen, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith(_FIRST), f"the server's first line is {line!r}"
        yield Server(line.removeprefix(_FIRST).strip(), process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.stdout.close()


@contextlib.contextmanager
def serving(*arguments: str | Path, listen: str = "127.0.0.1:0") -> Iterator[str]:
    """Runs ``calculate serve`` with these arguments; gives its address."""
    with running(*arguments, listen=listen) as server:
        yield server.address
