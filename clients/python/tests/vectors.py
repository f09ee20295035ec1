"""The vectors of discovery and balancing that all clients share: idl/vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[3] / "idl" / "vectors"
_MASK = 2**64 - 1


def rows(name: str) -> list[list[str]]:
    """The rows of a file, without its comment."""
    lines = (_FOLDER / name).read_text("utf-8").split("\n")
    found = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert found
    return found


def scenarios(name: str) -> dict[str, list[list[str]]]:
    """The rows of each scenario, without its name."""
    found: dict[str, list[list[str]]] = {}
    for scenario, *row in rows(name):
        found.setdefault(scenario, []).append(row)
    return found


def pairs(text: str, separator: str = " ") -> dict[str, str]:
    """``key=value key=value``."""
    return dict(pair.split("=") for pair in text.split(separator))


def split_mix(seed: int) -> Callable[[], int]:
    """The vectors' random numbers."""
    state = seed

    def next_u64() -> int:
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    return next_u64
