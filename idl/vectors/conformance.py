#!/usr/bin/env python3
"""Writes conformance.tsv: the cases that every program in tests/interop goes through, row by row.

Values are written by Apache's own Python library and put into words by tests/interop/python/describe.py; the server
(examples/conformance) makes and describes the same values with code of its own, as does every other program.
Run it as ``make vectors``; ``make check`` compares.

Columns, separated by one tab ("-" where a column does not apply):

    kind    what to do: see ARCHITECTURE.md, Conformance
    name    unique within its kind
    value   bool, integers, uuid: as text · double: the 16 hexadecimal digits of its IEEE 754 binary64 ·
            string: its UTF-8 in hexadecimal · binary: its length, byte i being (31 i + length) mod 256 ·
            choice, everything, identified: the struct in the binary protocol, in hexadecimal
    text    what Describe answers; for `risk` what must come of the call
"""

import struct
import sys
from pathlib import Path

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent / "tests" / "interop" / "python"
sys.path[:0] = [str(PYTHON), str(PYTHON / "gen")]

import uuid  # noqa: E402

import describe  # noqa: E402
from conformance.ttypes import (  # noqa: E402
    Choice,
    Chosen,
    Colour,
    Containers,
    Defaults,
    Everything,
    Optionals,
    Point,
    Scalars,
    Tree,
)
from conformance_uuid.ttypes import Identified  # noqa: E402

INTEGERS = {"i8": 8, "i16": 16, "i32": 32, "i64": 64}
DOUBLES = {
    "zero": 0.0,
    "minus_zero": -0.0,
    "one_and_a_half": 1.5,
    "minus_third": -1 / 3,
    "largest": sys.float_info.max,
    "smallest": 5e-324,
    "inf": float("inf"),
    "minus_inf": float("-inf"),
    "nan": float("nan"),
}
TEXTS = {
    "empty": "",
    "ascii": "The quick brown fox",
    "cyrillic": "Съешь ещё этих мягких булок",
    "greek": "Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία",
    "han": "視野無限廣,窗外有藍天",
    "hangul": "다람쥐 헌 쳇바퀴에 타고파",
    "kana": "いろはにほへと ちりぬるを",
    "devanagari": "ऋषियों को सताने वाले",
    "thai": "เป็นมนุษย์สุดประเสริฐ",
    "arabic": "نص حكيم له سر قاطع",
    "hebrew": "דג סקרן שט בים",
    "both_directions": "abc \u202eאבג\u202c 123",
    "combining": "e\u0301 n\u0303 Z\u0351\u036b\u0343\u036a\u0302",
    "precomposed": "\u00e9 \u00f1",
    "astral": "𝄞 𐍈 𠜎",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳",
    "last": "\U0010ffff \uffff \ufffd \ufeff",
    "nul": "before\0after",
    "controls": "\t\r\n\x01\x7f\x85\u2028",
    "two_bytes_boundary": "\x7f\x80\u07ff\u0800",
    "long": "αβγ " * 1000,
}
LENGTHS = [0, 1, 2, 127, 128, 255, 256, 16383, 16384, 65535, 65536, 1048576]
UUIDS = {
    "nil": "00000000-0000-0000-0000-000000000000",
    "max": "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "ordered": "00112233-4455-6677-8899-aabbccddeeff",
}
CHOICES = {
    "flag": Choice(flag=False),
    "large": Choice(large=-(2**63)),
    "text": Choice(text=""),
    "numbers": Choice(numbers=[1, -1, 2**31 - 1]),
    "point": Choice(point=Point(x=-1, y=1)),
}
RISKS = {
    "value": "fine",
    "not_found": 'NotFound "nowhere · нигде"',
    "conflict": "Conflict 409 with a reason at (1:3,2:4)",
    "nothing": "Nothing",
    "undeclared": "TApplicationException 6",
}


def binary(length: int) -> bytes:
    return bytes((31 * i + length) % 256 for i in range(length))


def scalars(**fields) -> Scalars:
    zero = dict(flag=False, tiny=0, small=0, medium=0, large=0, real=0.0, text="", blob=b"", colour=Colour.RED)
    return Scalars(**{**zero, **fields})


def containers(**fields) -> Containers:
    lists = dict.fromkeys(["flags", "numbers", "matrix", "tables", "points", "blobs", "words"], [])
    return Containers(**{**lists, **dict.fromkeys(["table", "nested", "maps", "colours"], {}), **fields})


def chain(depth: int) -> Tree:
    return Tree(value=depth, children=[chain(depth - 1)] if depth else [])


def everything() -> dict[str, Everything]:
    """Sets are given as lists: to the writer it is the same, and their order stays."""
    full = scalars(flag=True, tiny=-5, small=-300, medium=70000, large=-(2**40), real=1.5, text="text · текст")
    full.blob, full.colour = binary(20), Colour.VIOLET
    most = scalars(flag=True, tiny=127, small=2**15 - 1, medium=2**31 - 1, large=2**63 - 1, real=sys.float_info.max)
    least = scalars(tiny=-128, small=-(2**15), medium=-(2**31), large=-(2**63), real=-sys.float_info.max)
    names = [name for name, text in TEXTS.items() if name != "long"]
    return {
        "least": Everything(scalars=scalars()),
        "full": Everything(
            scalars=full,
            containers=containers(
                numbers=[3, -1, 70000],
                table={"one": 1, "two": -2},
                matrix=[[1, 2], [], [3]],
                nested={"a": [[1, 2], []], "b": []},
                tables=[{1: "one"}, {}],
                maps={8: {"half": 0.5}, 7: {}},
                points=[Point(x=1, y=2), Point(x=-1, y=-2)],
                blobs=[b"\0\xff", b""],
                colours={"grass": Colour.GREEN, "violets": Colour.BLUE},
                words=["to", "be"],
            ),
            tree=Tree(value=1, children=[Tree(value=2, children=[]), Tree(value=3, children=[chain(0)])]),
            choices=[Chosen(choice=choice) for choice in CHOICES.values()],
            extras=Optionals(
                flag=True,
                tiny=1,
                small=2,
                medium=3,
                large=4,
                real=-0.5,
                text="five",
                blob=b"\x80",
                colour=Colour.RED,
                point=Point(x=0, y=-1),
                numbers=[6],
            ),
            far="300",
            farthest=True,
        ),
        "most": Everything(scalars=most, farthest=False),
        "minima": Everything(scalars=least, far=""),
        "empties": Everything(
            scalars=scalars(),
            containers=containers(),
            choices=[],
            extras=Optionals(
                flag=False, tiny=0, small=0, medium=0, large=0, real=0.0, text="", blob=b"", numbers=[]
            ),
        ),
        "gaps": Everything(scalars=scalars(), extras=Optionals(tiny=-1, real=-0.25, numbers=[0]), farthest=True),
        "nan": Everything(
            scalars=scalars(real=float("nan")),
            containers=containers(maps={0: {"nan": float("nan"), "inf": float("inf"), "minus": float("-inf")}}),
        ),
        "minus_zero": Everything(scalars=scalars(real=-0.0), containers=containers(maps={0: {"": -0.0}})),
        "flags": Everything(scalars=scalars(), containers=containers(flags=[i % 3 == 0 for i in range(100)])),
        "keys": Everything(
            scalars=scalars(), containers=containers(tables=[{-1: "", 2**31 - 1: ""}], maps={-(2**63): {}, 2**53 + 1: {}})
        ),
        "scripts": Everything(
            scalars=scalars(),
            containers=containers(
                table={TEXTS[name]: i for i, name in enumerate(names)}, words=[TEXTS[name] for name in names]
            ),
        ),
        "many": Everything(
            scalars=scalars(blob=binary(3000), text="x" * 3000),
            containers=containers(
                numbers=[i * 7919 for i in range(2000)],
                table={f"key {i}": i * i for i in range(500)},
                matrix=[list(range(i)) for i in range(20)],
                blobs=[binary(i) for i in range(40)],
            ),
        ),
        "deep": Everything(scalars=scalars(), tree=chain(25)),
    }


def encode(value) -> str:
    buffer = TMemoryBuffer()
    value.write(TBinaryProtocol(buffer))
    return buffer.getvalue().hex()


def rows():
    for value in ("false", "true"):
        yield "bool", value, value, "-"
    for kind, bits in INTEGERS.items():
        for value in sorted({0, 1, -1, 63, 64, -64, -65, 100, *(2**bits // 2 - 1, -(2**bits) // 2)}):
            yield kind, str(value).replace("-", "minus_"), str(value), "-"
    yield "i64", "past_2_53", str(2**53 + 1), "-"
    for name, value in DOUBLES.items():
        yield "double", name, struct.pack(">d", value).hex(), "-"
    for name, value in TEXTS.items():
        yield "string", name, value.encode().hex(), describe.text(value)
    for length in LENGTHS:
        yield "binary", str(length), str(length), describe.binary(binary(length))
    for name, value in CHOICES.items():
        yield "choice", name, encode(value), describe.choice(value)
    for name, value in everything().items():
        yield "everything", name, encode(value), describe.everything(value)
    yield "arguments", "out_of_order", "-", "(8:true,1:-5,3:-300,2:70000,300:-1099511627776,4:3ff8000000000000,5:1000000)"
    yield "defaults", "all", "-", describe.defaults(Defaults())
    yield "newer", "caller", "-", "(1000:true)"
    yield "older", "caller", "-", "(1000:true)"
    for name, text in RISKS.items():
        yield "risk", name, "-", text
        yield "risk_void", name, "-", "-" if name == "value" else text
    for name in ("ping", "oneway", "unknown_method", "sequence_ids"):
        yield "call", name, "-", "-"
    yield "struct_keys", "points", "-", describe.struct_keys({Point(x=1, y=2): "one", Point(x=-1, y=2**31 - 1): "two"})
    yield "lists_in_set", "describe", "-", describe.lists_in_set([[], [1, 2], [-3]])
    yield "lists_in_set", "echo", "-", describe.lists_in_set([[], [1, 2], [-3]])
    for name, text in UUIDS.items():
        yield "uuid", name, text, "-"
    nil, last, ordered = (uuid.UUID(text) for text in UUIDS.values())
    identified = Identified(id=ordered, others=[nil, last], names={last: "last"}, point=Point(x=1, y=2))
    yield "identified", "one", encode(identified), describe.identified(identified)


def main() -> None:
    header = "\t".join(["# kind", "name", "value", "text"])
    text = "\n".join([header, *("\t".join(row) for row in rows())]) + "\n"
    target = HERE / "conformance.tsv"
    if "--check" in sys.argv[1:]:
        if target.read_text("utf-8") != text:
            sys.exit("conformance: idl/vectors/conformance.tsv is not what Apache's library writes; run 'make vectors'")
        print("conformance: fresh")
    else:
        target.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
