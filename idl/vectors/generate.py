#!/usr/bin/env python3
"""Writes messages.tsv: golden messages, encoded by Apache's own Python library.

Nothing of this project encodes here, so that what our Rust, Python and Java agree on is what Apache Thrift says.
Run it as ``make vectors``; ``make check`` compares.

Columns, separated by one tab ("-" where a column does not apply):

    name       unique
    protocol   binary (strict) or compact
    type       CALL, REPLY (a result), DECLARED (a reply that carries DomainError), EXCEPTION (TApplicationException)
    method     the name on the wire, "Calculate:Square" where multiplexed
    seqid      the sequence id, decimal
    value      the Number's or the DomainError's value: the 16 hexadecimal digits of its IEEE 754 binary64
    message    the text of an exception, with Python's "unicode_escape"
    code       the TApplicationException's type
    bytes      the message without a frame, in hexadecimal
"""

import struct
import sys
from pathlib import Path

from thrift.Thrift import TApplicationException, TMessageType
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.transport.TTransport import TMemoryBuffer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "clients" / "python" / "src"))

from calculate._gen import Calculate  # noqa: E402
from calculate._gen.ttypes import DomainError, Number  # noqa: E402

PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol}
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


def rows():
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

    for protocol in PROTOCOLS:
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


def main() -> None:
    header = "\t".join(["# name", "protocol", "type", "method", "seqid", "value", "message", "code", "bytes"])
    text = "\n".join([header, *("\t".join(row) for row in rows())]) + "\n"
    target = HERE / "messages.tsv"
    if "--check" in sys.argv[1:]:
        if target.read_text("ascii") != text:
            sys.exit("golden messages: idl/vectors/messages.tsv is not what Apache's library writes; run 'make vectors'")
        print("golden messages: fresh")
    else:
        target.write_text(text, "ascii")


if __name__ == "__main__":
    main()
