"""A value in words, the same in every language; examples/conformance/describe.rs has the grammar."""

import struct as packing
import zlib

MOST_IN_FULL = 32


def boolean(value):
    return {True: "true", False: "false"}[value]


def integer(value):
    return str(int(value))


def double(value):
    return "nan" if value != value else packing.pack(">d", value).hex()


def binary(value):
    if len(value) > MOST_IN_FULL:
        return f'"{len(value)}#{zlib.adler32(value):08x}"'
    return f'"{bytes(value).hex()}"'


def text(value):
    if not isinstance(value, str):
        raise TypeError(f"a text was decoded as {type(value).__name__}")
    return binary(value.encode("utf-8"))


def uuid(value):
    return str(value)


def list_of(of):
    return lambda items: f"[{','.join(map(of, items))}]"


def set_of(of):
    return lambda items: f"{{{','.join(sorted(map(of, items)))}}}"


def map_of(of_key, of_value):
    return lambda items: f"{{{','.join(sorted(f'{of_key(key)}={of_value(value)}' for key, value in items.items()))}}}"


def struct_of(fields):
    """``fields`` maps a name to the field's id and to what describes its value."""

    def describe(value):
        present = [(name, id, of) for name, (id, of) in fields.items() if getattr(value, name) is not None]
        return f"({','.join(f'{id}:{of(getattr(value, name))}' for name, id, of in present)})"

    return describe


point = struct_of({"x": (1, integer), "y": (2, integer)})
scalars = struct_of(
    {
        "flag": (1, boolean),
        "tiny": (2, integer),
        "small": (3, integer),
        "medium": (4, integer),
        "large": (5, integer),
        "real": (6, double),
        "text": (7, text),
        "blob": (8, binary),
        "colour": (9, integer),
    }
)
optionals = struct_of(
    {
        "flag": (1, boolean),
        "tiny": (2, integer),
        "small": (3, integer),
        "medium": (4, integer),
        "large": (5, integer),
        "real": (6, double),
        "text": (7, text),
        "blob": (8, binary),
        "colour": (9, integer),
        "point": (10, point),
        "numbers": (11, list_of(integer)),
    }
)
defaults = struct_of(
    {
        "number": (1, integer),
        "text": (2, text),
        "colour": (3, integer),
        "numbers": (4, list_of(integer)),
        "flag": (5, boolean),
        "real": (6, double),
        "table": (7, map_of(text, integer)),
    }
)
containers = struct_of(
    {
        "flags": (1, list_of(boolean)),
        "numbers": (2, set_of(integer)),
        "table": (3, map_of(text, integer)),
        "matrix": (4, list_of(list_of(integer))),
        "nested": (5, map_of(text, list_of(set_of(integer)))),
        "tables": (6, list_of(map_of(integer, text))),
        "maps": (7, map_of(integer, map_of(text, double))),
        "points": (8, list_of(point)),
        "blobs": (9, list_of(binary)),
        "colours": (10, map_of(text, integer)),
        "words": (11, set_of(text)),
    }
)
tree = struct_of({"value": (1, integer), "children": (2, lambda children: list_of(tree)(children))})
choice = struct_of(
    {
        "flag": (1, boolean),
        "large": (2, integer),
        "text": (3, text),
        "numbers": (4, list_of(integer)),
        "point": (5, point),
    }
)
chosen = struct_of({"choice": (1, choice)})
everything = struct_of(
    {
        "scalars": (1, scalars),
        "containers": (2, containers),
        "tree": (3, tree),
        "choices": (4, list_of(chosen)),
        "extras": (20, optionals),
        "far": (300, text),
        "farthest": (1000, boolean),
    }
)
narrow = struct_of({"farthest": (1000, boolean)})
identified = struct_of(
    {"id": (1, uuid), "others": (2, list_of(uuid)), "names": (3, map_of(uuid, text)), "point": (4, point)}
)
struct_keys = map_of(point, text)
lists_in_set = set_of(list_of(integer))
