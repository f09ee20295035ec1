"""idl/vectors/messages.tsv: messages as Apache's own library writes them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).resolve().parents[3] / "idl" / "vectors" / "messages.tsv"


class Row(NamedTuple):
    name: str
    protocol: str
    type: str
    method: str
    seqid: int
    value: float | None
    message: str | None
    code: int | None
    bytes: bytes


def _parse(line: str) -> Row:
    name, protocol, kind, method, seqid, value, message, code, content = line.split("\t")
    return Row(
        name,
        protocol,
        kind,
        method,
        int(seqid),
        None if value == "-" else struct.unpack(">d", bytes.fromhex(value))[0],
        None if message == "-" else message.encode().decode("unicode_escape"),
        None if code == "-" else int(code),
        bytes.fromhex(content),
    )


ROWS = [_parse(line) for line in _FILE.read_text("ascii").splitlines() if not line.startswith("#")]
CALLS = [row for row in ROWS if row.type == "CALL" and ":" not in row.method]
REPLIES = [row for row in ROWS if row.type != "CALL"]


def bits(value: float) -> bytes:
    """So that NaN equals NaN and -0.0 does not equal 0.0."""
    return struct.pack(">d", value)
