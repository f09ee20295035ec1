#!/usr/bin/env python3
"""Writes messages.tsv, old.tsv and theader.tsv: golden messages, encoded by Apache's own Python library.

Nothing of this project encodes here, so that what our Rust, Python and Java agree on is what Apache Thrift says.
Run it as ``make vectors``; ``make check`` compares.

Columns of messages.tsv and old.tsv, separated by one tab ("-" where a column does not apply):

    name       unique
    protocol   binary (strict) or compact; in old.tsv old, the non-strict binary protocol
    type       CALL, REPLY (a result), DECLARED (a reply that carries DomainError), EXCEPTION (TApplicationException)
    method     the name on the wire, "Calculate:Square" where multiplexed
    seqid      the sequence id, decimal
    value      the Number's or the DomainError's value: the 16 hexadecimal digits of its IEEE 754 binary64
    message    the text of an exception, with Python's "unicode_escape"
    code       the TApplicationException's type
    bytes      the message without a frame, in hexadecimal

Columns of theader.tsv, and of ttheader.tsv, which ttheader/main.go writes:

    name        unique
    transport   theader or ttheader
    protocol    of the message inside: binary or compact
    transforms  none or zlib
    inner       bare; framed where the message has a frame of its own inside
    headers     NAME=VALUE, both in hexadecimal, or #NUMBER=VALUE, separated by commas
    seqid       the frame's, decimal
    message     the message inside, in hexadecimal
    frame       the whole frame with its length, in hexadecimal
"""

import struct
import sys
from pathlib import Path

from thrift.Thrift import TApplicationException, TMessageType
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.THeaderProtocol import THeaderProtocol
from thrift.transport.THeaderTransport import THeaderClientType, THeaderSubprotocolID, THeaderTransformID
from thrift.transport.TTransport import TMemoryBuffer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "clients" / "python" / "src"))

from calculate._gen import Calculate  # noqa: E402
from calculate._gen.ttypes import DomainError, Number  # noqa: E402

PROTOCOLS = {
    "binary": TBinaryProtocol,
    "compact": TCompactProtocol,
    "old": lambda buffer: TBinaryProtocol(buffer, strictRead=False, strictWrite=False),
}
VALUES = {
    "nine": 9.0,
    "two": 2.0,
    "zero": 0.0,
    "minus_zero": -0.0,
    "minus_four": -4.0,
    "nan": float("nan"),
    "inf": float("inf"),
    "minus_inf": float("-inf"),
    "largest": sys.float_info.max,
    "smallest": 5e-324,
}
SEQIDS = [0, 1, 127, 128, 300, 65536, 2**31 - 1, -1, -(2**31)]
TEXTS = {
    "ascii": "Square is not defined for -4",
    "scripts": "квадратный корень · 平方根 · الجذر · 🙂",
    "empty": "",
    "long": "x" * 300,
}
CODES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


def bits(value: float) -> str:
    return struct.pack(">d", value).hex()


def encode(protocol: str, method: str, kind: int, seqid: int, body) -> str:
    buffer = TMemoryBuffer()
    out = PROTOCOLS[protocol](buffer)
    out.writeMessageBegin(method, kind, seqid)
    body.write(out)
    out.writeMessageEnd()
    return buffer.getvalue().hex()


def rows(protocols):
    result_types = {"Square": Calculate.Square_result, "Cal": Calculate.Cal_result}
    args_types = {"Square": Calculate.Square_args, "Cal": Calculate.Cal_args}

    def row(name, protocol, kind, method, seqid, body, value=None, message=None, code=None):
        wire_type = {"CALL": TMessageType.CALL, "EXCEPTION": TMessageType.EXCEPTION}.get(kind, TMessageType.REPLY)
        return [
            f"{protocol}_{name}",
            protocol,
            kind,
            method,
            str(seqid),
            "-" if value is None else bits(value),
            "-" if message is None else message.encode("unicode_escape").decode(),
            "-" if code is None else str(code),
            encode(protocol, method, wire_type, seqid, body),
        ]

    for protocol in protocols:
        for method in ("Square", "Cal"):
            for label, value in VALUES.items():
                number = Number(value=value)
                name = f"{method.lower()}_{label}"
                yield row(f"call_{name}", protocol, "CALL", method, 1, args_types[method](number=number), value)
                yield row(f"reply_{name}", protocol, "REPLY", method, 1, result_types[method](success=number), value)
        for seqid in SEQIDS:
            number = Number(value=9.0)
            name = f"seqid_{seqid}".replace("-", "minus_")
            yield row(f"call_{name}", protocol, "CALL", "Square", seqid, Calculate.Square_args(number=number), 9.0)
            yield row(f"reply_{name}", protocol, "REPLY", "Square", seqid, Calculate.Square_result(success=number), 9.0)
        args = Calculate.Square_args(number=Number(value=9.0))
        yield row("call_multiplexed", protocol, "CALL", "Calculate:Square", 7, args, 9.0)
        for label, text in TEXTS.items():
            error = DomainError(message=text, value=-4.0)
            result = Calculate.Square_result(error=error)
            yield row(f"declared_{label}", protocol, "DECLARED", "Square", 2, result, -4.0, text)
            error = TApplicationException(6, text)
            yield row(f"exception_{label}", protocol, "EXCEPTION", "Square", 3, error, None, text, 6)
        for code in CODES:
            error = TApplicationException(code, f"code {code}")
            yield row(f"exception_code_{code}", protocol, "EXCEPTION", "Square", 4, error, None, f"code {code}", code)


SUBPROTOCOLS = {"binary": THeaderSubprotocolID.BINARY, "compact": THeaderSubprotocolID.COMPACT}
HEADERS = {
    "no_headers": {},
    "a_header": {b"client_timeout": b"500"},
    "headers": {b"tenant": "кот".encode(), b"": b"a name of no bytes", b"empty": b"", b"\x00\xff": b"\x00\x01\xfe"},
    "a_long_header": {b"long": b"x" * 300},
    "many_headers": {b"header %d" % number: b"%d" % number for number in range(130)},
}


def header_rows():
    """Frames of THeader."""
    for protocol in SUBPROTOCOLS:
        for transforms in ("none", "zlib"):
            for label, headers in HEADERS.items():
                for seqid in (7, -1):
                    buffer = TMemoryBuffer()
                    out = THeaderProtocol(buffer, (THeaderClientType.HEADERS,), SUBPROTOCOLS[protocol])
                    for name, value in headers.items():
                        out.set_header(name, value)
                    if transforms == "zlib":
                        out.add_transform(THeaderTransformID.ZLIB)
                    args = Calculate.Square_args(number=Number(value=9.0))
                    out.writeMessageBegin("Square", TMessageType.CALL, seqid)
                    args.write(out)
                    out.writeMessageEnd()
                    out.trans.flush()
                    yield [
                        f"theader_{protocol}_{transforms}_{label}_{seqid}".replace("-", "minus_"),
                        "theader",
                        protocol,
                        transforms,
                        "bare",
                        ",".join(f"{name.hex()}={value.hex()}" for name, value in headers.items()) or "-",
                        str(seqid),
                        encode(protocol, "Square", TMessageType.CALL, seqid, args),
                        buffer.getvalue().hex(),
                    ]


MESSAGE_COLUMNS = ["# name", "protocol", "type", "method", "seqid", "value", "message", "code", "bytes"]
HEADER_COLUMNS = ["# name", "transport", "protocol", "transforms", "inner", "headers", "seqid", "message", "frame"]
FILES = {
    "messages.tsv": (MESSAGE_COLUMNS, lambda: rows(["binary", "compact"])),
    "old.tsv": (MESSAGE_COLUMNS, lambda: rows(["old"])),
    "theader.tsv": (HEADER_COLUMNS, header_rows),
}


def comparable(text: str) -> list[list[str]]:
    """All that does not depend on this machine's zlib: other builds of it deflate to other bytes."""
    lines = [line.split("\t") for line in text.splitlines()]
    return [line[:-1] if "zlib" in line else line for line in lines]


def main() -> None:
    for file, (columns, rows_of) in FILES.items():
        text = "\n".join("\t".join(row) for row in [columns, *rows_of()]) + "\n"
        target = HERE / file
        if "--check" not in sys.argv[1:]:
            target.write_text(text, "ascii")
        elif comparable(target.read_text("ascii")) != comparable(text):
            sys.exit(f"golden messages: idl/vectors/{file} is not what Apache's library writes; run 'make vectors'")
    if "--check" in sys.argv[1:]:
        print("golden messages: fresh")


if __name__ == "__main__":
    main()
