"""What this client writes and reads is what Apache's library writes."""

from __future__ import annotations

from typing import Any

import pytest
from golden import CALLS, REPLIES, Row, bits

from calculate import ApplicationError, CalculateError, DomainError, Overloaded, ProtocolError
from calculate._client import CAL, SQUARE, cal_args, square_args
from calculate._message import CODECS
from calculate._method import Method
from calculate._options import Options
from calculate._session import Session

METHODS = {"Square": (SQUARE, square_args), "Cal": (CAL, cal_args)}


class Kept:
    """A call that keeps how it ended."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.seqid = self.mark = 0
        self.value: Any = None
        self.error: CalculateError | None = None

    def resolve(self, value: Any) -> None:
        self.value = value

    def reject(self, error: CalculateError) -> None:
        self.error = error


def receive(row: Row, *, accelerated: bool, framing: Any = "unframed") -> Kept:
    """Makes the call that ``row`` answers and gives it the answer."""
    session: Session[Kept] = Session(Options(protocol=row.protocol, framing=framing), "server:1")  # type: ignore[arg-type]
    session._codec = CODECS[row.protocol](accelerated=accelerated)
    session._last_seqid = row.seqid - 1
    method, args = METHODS[row.method]
    call = Kept(method)
    session.start(call, args(1.0))
    session.take_unsent()
    session.receive(row.bytes if framing == "unframed" else len(row.bytes).to_bytes(4, "big") + row.bytes)
    return call


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.name)
def test_a_call_is_written_as_apache_writes_it(row: Row, accelerated: bool) -> None:
    method, args = METHODS[row.method]
    assert row.value is not None
    assert CODECS[row.protocol](accelerated=accelerated).encode(method, row.seqid, args(row.value)) == row.bytes


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize("framing", ["framed", "unframed"])
@pytest.mark.parametrize("row", [row for row in REPLIES if row.seqid > 0], ids=lambda row: row.name)
def test_a_reply_is_read_as_apache_wrote_it(row: Row, framing: str, accelerated: bool) -> None:
    call = receive(row, accelerated=accelerated, framing=framing)
    if row.type == "REPLY":
        assert row.value is not None
        assert call.error is None
        assert bits(call.value.value) == bits(row.value)
    elif row.type == "DECLARED":
        assert isinstance(call.error, DomainError)
        assert (call.error.message, call.error.value) == (row.message, row.value)
    elif row.code == 11:
        assert isinstance(call.error, Overloaded)
        assert row.message is not None
        assert row.message in str(call.error)
    else:
        assert isinstance(call.error, ApplicationError)
        assert (call.error.code, call.error.text) == (row.code, row.message)


@pytest.mark.parametrize("row", [row for row in REPLIES if row.seqid <= 0], ids=lambda row: row.name)
def test_a_sequence_id_that_is_never_given_is_read_as_written_and_refused(row: Row) -> None:
    codec = CODECS[row.protocol]()
    codec.load(row.bytes)
    assert codec.head(0, len(row.bytes))[2] == row.seqid
    session: Session[Kept] = Session(Options(protocol=row.protocol, framing="unframed"), "server:1")  # type: ignore[arg-type]
    call = Kept(SQUARE)
    session.start(call, square_args(1.0))
    session.take_unsent()
    session.receive(row.bytes)
    assert isinstance(call.error, ProtocolError)
