"""Apache's Python library (thrift on PyPI), unmodified, reads cases as examples/differential does, and answers alike.

With ``accelerated`` structs are read by its protocols in C; messages cannot be, as those only know generated structs.
"""

import resource
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "gen"))

from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolAccelerated
from thrift.protocol.TCompactProtocol import TCompactProtocol, TCompactProtocolAccelerated
from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer
from wire.ttypes import Everything

ACCELERATED = sys.argv[1:] == ["accelerated"]
PROTOCOLS = {"b": TBinaryProtocol, "o": TBinaryProtocol, "c": TCompactProtocol, "B": TBinaryProtocol, "C": TCompactProtocol}
if ACCELERATED:
    PROTOCOLS["B"] = lambda transport: TBinaryProtocolAccelerated(transport, fallback=False)
    PROTOCOLS["C"] = lambda transport: TCompactProtocolAccelerated(transport, fallback=False)


def main():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while length := source.read(4):
        (count,) = struct.unpack("!I", length)
        case = source.read(count)
        said = answer(chr(case[0]), case[1:]).encode()
        sink.write(struct.pack("!I", len(said)) + said)
        sink.flush()


def answer(letter, data):
    protocol = PROTOCOLS[letter](TMemoryBuffer(data))
    try:
        return "ok " + (everything(protocol) if letter.isupper() else message(protocol))
    except Exception as error:  # whatever the library raises is its answer
        return f"no {type(error).__name__}: {error}"


def message(protocol):
    name, kind, sequence_id = protocol.readMessageBegin()
    said = f"{name.encode().hex()} {kind} {sequence_id} {struct_in_words(protocol, as_sent)}"
    protocol.readMessageEnd()
    return said


def everything(protocol):
    value = Everything()
    value.read(protocol)
    written = TMemoryBuffer()
    value.write(TBinaryProtocol(written))
    return struct_in_words(TBinaryProtocol(TMemoryBuffer(written.getvalue())), sorted)


def as_sent(elements):
    return elements


def struct_in_words(protocol, order):
    """See examples/differential/describe.rs for the words."""
    protocol.readStructBegin()
    fields = []
    while True:
        _, kind, field_id = protocol.readFieldBegin()
        if kind == TType.STOP:
            break
        fields.append(f"{field_id}:{value_in_words(protocol, kind, order)}")
        protocol.readFieldEnd()
    protocol.readStructEnd()
    return "{" + ",".join(fields) + "}"


def value_in_words(protocol, kind, order):
    if kind in SCALARS:
        letter, read, show = SCALARS[kind]
        return letter + show(getattr(protocol, read)())
    if kind == TType.STRUCT:
        return struct_in_words(protocol, order)
    if kind in (TType.LIST, TType.SET):
        name, letter = ("List", "L") if kind == TType.LIST else ("Set", "S")
        element, size = getattr(protocol, f"read{name}Begin")()
        elements = [value_in_words(protocol, element, order) for _ in range(size)]
        getattr(protocol, f"read{name}End")()
        elements = order(elements) if kind == TType.SET else elements
        return f"{letter}{type_of(element, size)}[{','.join(elements)}]"
    if kind == TType.MAP:
        key, of, size = protocol.readMapBegin()
        pairs = [f"{value_in_words(protocol, key, order)}={value_in_words(protocol, of, order)}" for _ in range(size)]
        protocol.readMapEnd()
        return f"M{type_of(key, size)}{type_of(of, size)}[{','.join(order(pairs))}]"
    raise ValueError(f"a value of no type, {kind}")


def type_of(kind, size):
    return "" if size == 0 else f"<{LETTERS[kind]}>"


SCALARS = {
    TType.BOOL: ("b", "readBool", lambda value: str(int(value))),
    TType.BYTE: ("y", "readByte", str),
    TType.I16: ("h", "readI16", str),
    TType.I32: ("i", "readI32", str),
    TType.I64: ("l", "readI64", str),
    TType.DOUBLE: ("d", "readDouble", lambda value: struct.pack("!d", value).hex()),
    TType.STRING: ("s", "readBinary", bytes.hex),
    TType.UUID: ("u", "readUuid", lambda value: value.hex),
}
LETTERS = {kind: letter for kind, (letter, _, _) in SCALARS.items()} | {
    TType.STRUCT: "{",
    TType.LIST: "L",
    TType.SET: "S",
    TType.MAP: "M",
}

if __name__ == "__main__":
    main()
