"""hash.tsv: the hash, the ring's points, and which instance a key belongs to."""

HEADER = """
Columns, separated by one tab ("-" where a column does not apply). The file is UTF-8.

    name       unique
    kind       hash, points, ring or pick
    instances  separated by one space, each ID;weight=W;in_flight=N (the key=value pairs in any order, in_flight may lack)
    key        the key's bytes in hexadecimal (for hash, "-" is no bytes)
    result     see below

hash    result is hash64(key), 16 hexadecimal digits: FNV-1a of 64 bits, then h ^= h>>33, h *= 0xff51afd7ed558ccd,
        h ^= h>>33, h *= 0xc4ceb9fe1a85ec53, h ^= h>>33.
points  result is how many points the instance has on the ring: max(1, (weight * 40 + 50) / 100), whole numbers.
ring    result is the whole ring, as POINT=ID in ascending order (unsigned). Point k of an instance is
        hash64(ID + "#" + k), k = 0, 1, …, in decimal, ID in UTF-8. Two points that collide: the lower ID (bytes) wins.
pick    result is the ID that gets the key. Clockwise from the first point >= hash64(key), wrapping, each instance once, to
        the first with in_flight + 1 <= ceil(1.25 * (all in_flight + 1) * weight / all weights); in whole numbers
        in_flight + 1 <= (5 * (all in_flight + 1) * weight + 4 * all weights - 1) / (4 * all weights). None: the first.

Decided: the weight is the instance's own, not that of its warm-up. "all" is over the instances that are picked from,
which for a retry are those not yet tried. A key that is a text is hashed as UTF-8. A call without a key goes by
least_loaded.
"""

_MASK = 2**64 - 1


def hash64(data: bytes) -> int:
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & _MASK
    h ^= h >> 33
    h = (h * 0xFF51AFD7ED558CCD) & _MASK
    h ^= h >> 33
    h = (h * 0xC4CEB9FE1A85EC53) & _MASK
    return h ^ (h >> 33)


def points(weight: int) -> int:
    return max(1, (weight * 40 + 50) // 100)


def ring(weights: dict[str, int]) -> list[tuple[int, str]]:
    placed: dict[int, str] = {}
    for name in sorted(weights, key=str.encode, reverse=True):  # so that the lower one is put last and stays
        for k in range(points(weights[name])):
            placed[hash64(f"{name}#{k}".encode())] = name
    return sorted(placed.items())


def pick(instances: dict[str, tuple[int, int]], key: bytes) -> str:
    """``instances``: ID → (weight, in_flight)."""
    places = ring({name: weight for name, (weight, _) in instances.items()})
    start = next((i for i, (point, _) in enumerate(places) if point >= hash64(key)), 0)
    order = list(dict.fromkeys(name for _, name in places[start:] + places[:start]))
    weights = sum(weight for weight, _ in instances.values())
    in_flight = sum(calls for _, calls in instances.values())
    for name in order:
        weight, calls = instances[name]
        if calls + 1 <= (5 * (in_flight + 1) * weight + 4 * weights - 1) // (4 * weights):
            return name
    return order[0]


def rows():
    yield ["# name", "kind", "instances", "key", "result"]
    keys = [b"", b"a", b"customer-7", b"\x00", b"\x00\x00", b"\xff" * 9, "клиент-7".encode(), "顧客🙂".encode()]
    keys += [b"0123456789" * 30, bytes(range(256))]
    for i, key in enumerate(keys):
        yield [f"hash_{i}", "hash", "-", key.hex() or "-", f"{hash64(key):016x}"]
    for weight in [1, 2, 3, 4, 11, 13, 14, 37, 50, 99, 100, 101, 250, 9999, 10000]:
        yield [f"points_{weight}", "points", f"a;weight={weight}", "-", str(points(weight))]
    rings = {
        "one": {"10.0.0.1-9090": 1},
        "three": {"10.0.0.1-9090": 10, "10.0.0.2-9090": 20, "10.0.0.3-9090": 5},
        "scripts": {"ａ": 5, "🙂": 5, "a": 5},
    }
    for name, weights in rings.items():
        text = " ".join(f"{n};weight={w}" for n, w in weights.items())
        yield [f"ring_{name}", "ring", text, "-", " ".join(f"{p:016x}={n}" for p, n in ring(weights))]
    sets = {
        "one": {"a": (100, 5)},
        "even": {f"10.0.0.{i}-9090": (100, 0) for i in range(1, 6)},
        "less_one": {f"10.0.0.{i}-9090": (100, 0) for i in (1, 2, 4, 5)},
        "weights": {"a": (10, 0), "b": (100, 0), "c": (1000, 0)},
        "busy": {"a": (100, 9), "b": (100, 0), "c": (100, 3)},
        "at_the_bound": {"a": (100, 1), "b": (100, 1), "c": (100, 1), "d": (100, 0)},
        "uneven": {"a": (10000, 40), "b": (1, 3), "c": (300, 2)},
        "scripts": {"ａ": (100, 0), "🙂": (100, 0), "a": (100, 0)},
    }
    for name, instances in sets.items():
        text = " ".join(f"{n};weight={w};in_flight={c}" for n, (w, c) in instances.items())
        for i in range(12):
            key = f"customer-{i}".encode()
            yield [f"pick_{name}_{i}", "pick", text, key.hex(), pick(instances, key)]
