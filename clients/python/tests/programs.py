"""The real server, written in Rust. $CALCULATE_PROGRAM names its program; CALCULATE_SKIP_INTEROP=1 leaves it out."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import PATIENCE_S

_BUILT = Path(__file__).resolve().parents[3] / "target" / "release" / "calculate"
_FIRST = "listening on "

needs_server = pytest.mark.skipif(
    os.environ.get("CALCULATE_SKIP_INTEROP") == "1", reason="CALCULATE_SKIP_INTEROP=1 is set"
)


@contextlib.contextmanager
def serving(*arguments: str | Path, listen: str = "127.0.0.1:0") -> Iterator[str]:
    """Runs ``calculate serve`` with these arguments; gives its address."""
    program = Path(os.environ.get("CALCULATE_PROGRAM", _BUILT))
    if not program.exists():
        pytest.fail(
            f"no server at {program}; build it with 'cargo build --release', name another in CALCULATE_PROGRAM, "
            "or leave these tests out with CALCULATE_SKIP_INTEROP=1"
        )
    process = subprocess.Popen(
        [program, "serve", "--listen", listen, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith(_FIRST), f"the server's first line is {line!r}"
        yield line.removeprefix(_FIRST).strip()
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.stdout.close()
