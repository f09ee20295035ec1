"""Cases for every reader: whole messages, and structs ``Everything`` of tests/support/wire.thrift, right and wrong.

A case is a letter and bytes, as examples/differential reads them. The same seed gives the same cases.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BINARY = {"b": 2, "y": 3, "d": 4, "h": 6, "i": 8, "l": 10, "s": 11, "{": 12, "M": 13, "S": 14, "L": 15, "u": 16}
COMPACT = {"b": 1, "y": 3, "h": 4, "i": 5, "l": 6, "d": 7, "s": 8, "L": 9, "S": 10, "M": 11, "{": 12, "u": 13}
BITS = {"y": 8, "h": 16, "i": 32, "l": 64}

TREE = ("{", {1: "i", 2: ("L", None)})
TREE[1][2] = ("L", TREE)
EVERYTHING = (
    "{",
    {
        1: "b", 2: "y", 3: "h", 4: "i", 5: "l", 6: "d", 7: "s", 8: "s", 9: "e",
        10: ("{", {1: "l", 2: "s"}), 11: ("L", "b"), 12: ("S", "i"), 13: ("M", "s", ("L", "l")), 14: TREE, 15: "u",
        300: ("L", TREE),
    },
)  # fmt: skip


def cases(seed: int) -> Iterator[tuple[str, bytes]]:
    """Cases without end."""
    rng = random.Random(seed)
    golden = list(golden_messages())
    while True:
        letter = rng.choice("bcoBC")
        if letter in "BC":
            data = encode(rng, letter, everything(rng))
        elif rng.random() < 0.3:
            letter, data = rng.choice(golden)
        else:
            data = header(rng, letter) + encode(rng, letter, any_struct(rng, 0))
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 4))):
            data = mutated(rng, data)
        yield letter, data


def golden_messages() -> Iterator[tuple[str, bytes]]:
    for name in ("messages", "old"):
        for line in (ROOT / f"idl/vectors/{name}.tsv").read_text("ascii").splitlines():
            if not line.startswith("#"):
                fields = line.split("\t")
                yield fields[1][0], bytes.fromhex(fields[-1])


def header(rng: random.Random, letter: str) -> bytes:
    name = rng.choice(("Square", "Calculate:Cal", "", "né", "x" * 130)).encode() or b"m"
    kind, number = rng.choice((1, 1, 1, 2, 3, 4)), rng.choice((0, 1, -1, 2**31 - 1, -(2**31), rng.getrandbits(31)))
    if letter == "b":
        return b"\x80\x01\x00" + bytes([kind]) + sized(name) + struct.pack("!i", number)
    if letter == "o":
        return sized(name) + bytes([kind]) + struct.pack("!i", number)
    return bytes([0x82, kind << 5 | 1]) + varint(rng, number & 0xFFFFFFFF) + varint(rng, len(name)) + name


# Values: scalars are (letter, value), structs ("{", [(id, value)]), containers ("L", element letter, [value]) and
# ("M", key letter, value letter, [(key, value)]).


def everything(rng: random.Random) -> tuple:
    fields = [(number, of_shape(rng, shape, 0)) for number, shape in EVERYTHING[1].items() if rng.random() < 0.3]
    if rng.random() < 0.2:
        fields.append((rng.choice((0, 16, -1, 299, 32767)), any_value(rng, rng.choice("bdsL{Mu"), 2)))
    if rng.random() < 0.1:
        fields.append((rng.randrange(1, 16), any_value(rng, rng.choice("bihs"), 2)))
    if rng.random() < 0.2:
        rng.shuffle(fields)
    return ("{", fields)


def of_shape(rng: random.Random, shape, depth: int) -> tuple:
    if shape == "e" and rng.random() < 0.9:  # an enum's value, as the IDL has them
        return ("i", rng.choice((1, 2, 4)))
    if isinstance(shape, str):
        return scalar(rng, shape.replace("e", "i"))
    most = 0 if depth > 3 else rng.choice((0, 1, 2, 16))
    if shape[0] == "{":
        keep = 0.5 if depth < 4 else 0
        if shape == EVERYTHING[1][10]:  # a union has one
            number = rng.choice((1, 2))
            return ("{", [(number, scalar(rng, shape[1][number]))])
        return ("{", [(number, of_shape(rng, of, depth + 1)) for number, of in shape[1].items() if rng.random() < keep])
    if shape[0] == "M":
        pairs = [(of_shape(rng, shape[1], depth + 1), of_shape(rng, shape[2], depth + 1)) for _ in range(most)]
        return ("M", shape[1][0], shape[2][0], pairs)
    return (shape[0], shape[1][0], [of_shape(rng, shape[1], depth + 1) for _ in range(min(most, 3))])


def any_struct(rng: random.Random, depth: int) -> tuple:
    fields, number = [], 0
    for _ in range(rng.choice((0, 1, 2, 3, 5))):
        number = rng.choice((number + 1, number + 15, number + 16, rng.randrange(-(2**15), 2**15)))
        if number > 32767:
            break
        fields.append((number, any_value(rng, rng.choice("byhildsuLSM{"), depth + 1)))
    return ("{", fields)


def any_value(rng: random.Random, kind: str, depth: int) -> tuple:
    if kind == "{":
        return any_struct(rng, depth + 1) if depth < 5 else ("{", [])
    if kind in "LS":
        element = rng.choice("byhildsu{LSM" if depth < 4 else "byhildsu")
        size = rng.choice((0, 1, 3, 14, 15, 20) if element in "byhildsu" else (0, 1, 2))
        return (kind, element, [any_value(rng, element, depth + 1) for _ in range(size)])
    if kind == "M":
        key, of = rng.choice("byhildsu"), rng.choice("bisu{L" if depth < 4 else "bisu")
        size = rng.choice((0, 1, 3))
        return ("M", key, of, [(any_value(rng, key, depth + 1), any_value(rng, of, depth + 1)) for _ in range(size)])
    return scalar(rng, kind)


def scalar(rng: random.Random, kind: str) -> tuple:
    if kind in BITS:
        bits = BITS[kind]
        edge = rng.choice((0, 1, -1, 63, 64, -64, -65, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))))
        value = rng.choice((edge, rng.getrandbits(bits) - 2 ** (bits - 1), rng.randrange(6)))
        return (kind, max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, value)))
    if kind == "b":
        return (kind, rng.random() < 0.5)
    if kind == "d":
        return (kind, rng.choice((0.0, -0.0, 1.5, float("inf"), float("nan"), struct.unpack("!d", rng.randbytes(8))[0])))
    if kind == "u":
        return (kind, rng.randbytes(16))
    return (kind, rng.choice((b"", b"text", "Größe €😀".encode(), b"a\x00b", b"x" * 200)))


def encode(rng: random.Random, letter: str, value: tuple) -> bytes:
    """A struct's bytes: in compact sometimes longer than they need be, which is allowed."""
    return compact(rng, value) if letter in "cC" else binary(value)


def sized(data: bytes) -> bytes:
    return struct.pack("!i", len(data)) + data


def binary(value: tuple) -> bytes:
    kind = value[0]
    if kind == "{":
        fields = (bytes([BINARY[of[0]]]) + struct.pack("!h", number) + binary(of) for number, of in value[1])
        return b"".join(fields) + b"\0"
    if kind in "LS":
        return bytes([BINARY[value[1]]]) + struct.pack("!i", len(value[2])) + b"".join(map(binary, value[2]))
    if kind == "M":
        types = bytes([BINARY[value[1]], BINARY[value[2]]])
        return types + struct.pack("!i", len(value[3])) + b"".join(binary(k) + binary(v) for k, v in value[3])
    if kind == "s":
        return sized(value[1])
    if kind == "u":
        return value[1]
    return struct.pack({"b": "!?", "y": "!b", "h": "!h", "i": "!i", "l": "!q", "d": "!d"}[kind], value[1])


def varint(rng: random.Random, number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    if rng.random() < 0.02 and len(out) < 3:
        return bytes([*out, number | 0x80, 0])
    return bytes([*out, number])


def zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def compact(rng: random.Random, value: tuple) -> bytes:
    kind = value[0]
    if kind == "{":
        out, last = b"", 0
        for number, of in value[1]:
            code = (1 if of[1] else 2) if of[0] == "b" else COMPACT[of[0]]
            short = 0 < number - last <= 15 and rng.random() < 0.95
            out += bytes([(number - last) << 4 | code]) if short else bytes([code]) + varint(rng, zigzag(number))
            out += b"" if of[0] == "b" else compact(rng, of)
            last = number
        return out + b"\0"
    if kind in "LS":
        code, size = COMPACT[value[1]], len(value[2])
        if code == 1 and rng.random() < 0.3:
            code = 2
        short = size < 15 and rng.random() < 0.95
        start = bytes([size << 4 | code]) if short else bytes([0xF0 | code]) + varint(rng, size)
        return start + b"".join(compact(rng, element) for element in value[2])
    if kind == "M":
        if not value[3]:
            return b"\0"
        types = bytes([COMPACT[value[1]] << 4 | COMPACT[value[2]]])
        pairs = b"".join(compact(rng, k) + compact(rng, v) for k, v in value[3])
        return varint(rng, len(value[3])) + types + pairs
    if kind == "b":
        return bytes([1 if value[1] else rng.choice((2, 2, 0))])
    if kind == "y":
        return struct.pack("!b", value[1])
    if kind == "d":
        return struct.pack("<d", value[1])
    if kind == "s":
        return varint(rng, len(value[1])) + value[1]
    if kind == "u":
        return value[1]
    return varint(rng, zigzag(value[1]))


def mutated(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return rng.randbytes(3)
    at, to = rng.randrange(len(data)), rng.randrange(len(data) + 1)
    changed = bytearray(data)
    match rng.randrange(8):
        case 0:
            changed[at] ^= 1 << rng.randrange(8)
        case 1:
            changed[at] = rng.choice((0, 1, 2, 0x7F, 0x80, 0xFF, rng.getrandbits(8)))
        case 2:
            del changed[at : at + rng.choice((1, 1, 4, 9))]
        case 3:
            changed[at:at] = rng.randbytes(rng.choice((1, 1, 4)))
        case 4:
            del changed[at:]
        case 5:
            changed[at : at + 4] = struct.pack("!i", rng.choice((0, 1, -1, 2**31 - 1, len(data), 65536)))
        case 6:
            changed[at:at] = data[min(at, to) : max(at, to)][:64]
        case _:
            changed[at] = (changed[at] + rng.choice((1, -1, 16, -16))) & 0xFF
    return bytes(changed)
