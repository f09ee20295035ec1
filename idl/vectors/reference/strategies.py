"""balance.tsv and latency.tsv: who is called."""

import math
import re

from .hashing import pick as pick_by_hash
from .numbers import SplitMix64

HEADER = """
Columns, separated by one tab. The file is UTF-8. Pairs key=value are separated by one space, in any order.

    name       unique
    settings   balance=STRATEGY; seed=N; calls=N: how many picks; hold=yes: each pick leaves its call in flight (else in_flight
               never changes); counter=N: where round_robin starts (0); warm_up=MS (1000); zone=Z: the client's (none);
               version=RANGE (any); group=G (default); key=TEXT: for hash; tried=ID,ID: what this call has tried
    instances  separated by one space, ID;key=value;key=value…: weight (100), in_flight (0), latency: the EWMA of the moment in
               ms (0), age: ms since first seen, for an instance that warms up (else it does not), zone, version=V,V (any),
               group (default), enabled=no, ejected=yes, avoided=yes: answered Overloaded less than 1 s ago
    picks      the IDs picked, separated by one space; "none": there is no instance to call

Random numbers come from splitmix64 with the seed as its first state; below(n) = ((u64 >> 32) * n) >> 32.

Who is picked from, in this order, the first of these that is not empty:
    1. own zone (only when the client has one): candidates there, not tried. Not when the candidates there (tried ones
       count) have less than half of the zone's whole weight: that of all instances of the zone in the list whose
       version and group fit, also disabled and ejected ones.
    2. candidates not tried: enabled, weight > 0, version in range, group equal, not ejected.
    3. (panic) those not tried that are enabled, weight > 0, version in range, group equal: ejected ones, too.
    4. the candidates, tried or not.   5. (panic) as 3, tried or not.   6. none.
They are in the order of their ids' UTF-8 bytes.

One instance to pick from: it is taken, no random number is drawn and round_robin's counter stays. Else
    round_robin   instances[counter mod n], counter += 1
    random        instances[below(n)]
    weighted      x = below(sum of effective weights): the first whose cumulative weight > x
    least_loaded  first = weighted; when its cost is 1, it wins: nobody costs less, and nothing else is drawn. Else second =
                  weighted among the others (below(sum - first's), the first left out); the first wins when cost(first)
                  <= cost(second), cost = (in_flight * 100 + effective weight) * class * (2 when avoided) / effective
                  weight, compared without division: a's cost * b's weight <= b's cost * a's weight. (Who has nothing to do
                  costs its class, whatever its weight: the draws have seen to that.)
    hash          see hash.tsv; without a key as least_loaded
Effective weight: in warm-up (age < warm_up) max(1, weight * max(warm_up, 10 * age) / (10 * warm_up)), whole numbers in ms.
class: the smallest of 1, 4, 16, … 4^10 that is >= a quarter of the latency in ms (4^10 when none is).
"""

LATENCY_HEADER = """
Columns, separated by one tab:

    name      unique
    samples   separated by one space: AT=MS: at AT ms an answer came that took MS ms; AT!MS: an attempt failed after MS ms; AT+: a
              probe found it well after it had been ejected
    at        when it is looked at, ms
    latency   the EWMA then, in ms, to 6 decimals: compare with a tolerance of 0.000002
    class     the smallest power of four, from 1 to 4^10, that is >= a quarter of the latency: what is below 4 ms is noise, and so is
              what is below a factor of four

Before the first sample the EWMA is 0; the first sets it. Any other: w = exp(-dt/2000), dt = ms since the last sample (not below
0), EWMA = EWMA * w + sample * (1 - w). So it is an average over the last seconds, in which one slow answer among many counts for
little and the first after a silence for much. Looked at dt ms after the last sample it is EWMA * exp(-dt/2000) (and is not
changed by that): who was slow once is tried again some time. Samples are taken from every answer but Overloaded. A failure (those
of health.tsv: no connection, a connection that ended, an attempt that timed out, what is no answer) sets the EWMA to 1000 ms, or
to the time it took when that is longer, unless it is higher: half of the instances are not ejected, dead or not, and least_loaded
calls others before them. Who was ejected and is found well begins anew, without a sample. Connecting is not counted to an
answer's time.
"""

TAU_MS = 2000
FAILED_MS = 1000
CLASS_MAX = 4**10


def latency_class(ms: float) -> int:
    c = 1
    while c < ms / 4 and c < CLASS_MAX:
        c *= 4
    return c


def in_range(version: str, wanted: str) -> bool:
    if version == "any" or wanted == "any":
        return True
    low, high = bounds(wanted)
    return any(low <= int(v) <= high for v in version.split(","))


def bounds(wanted: str) -> tuple[int, float]:
    if wanted.endswith("+"):
        return int(wanted[:-1]), math.inf
    low, _, high = wanted.partition("-")
    return int(low), int(high or low)


class Instance:
    def __init__(self, text: str) -> None:
        self.id, *pairs = text.split(";")
        fields = dict(pair.split("=") for pair in pairs)
        self.weight = int(fields.pop("weight", 100))
        self.in_flight = int(fields.pop("in_flight", 0))
        self.latency = float(fields.pop("latency", 0))
        self.age = int(fields["age"]) if "age" in fields else None
        fields.pop("age", None)
        self.zone = fields.pop("zone", "")
        self.version = fields.pop("version", "any")
        self.group = fields.pop("group", "default")
        self.enabled = fields.pop("enabled", "yes") == "yes"
        self.ejected = fields.pop("ejected", "no") == "yes"
        self.avoided = fields.pop("avoided", "no") == "yes"
        assert not fields, fields

    def effective(self, warm_up: int) -> int:
        if self.age is None or self.age >= warm_up:
            return self.weight
        return max(1, self.weight * max(warm_up, 10 * self.age) // (10 * warm_up))

    def cost(self, warm_up: int) -> int:
        load = self.in_flight * 100 + self.effective(warm_up)
        return load * latency_class(self.latency) * (2 if self.avoided else 1)


class Client:
    def __init__(self, settings: dict[str, str], instances: list[Instance]) -> None:
        self.balance = settings["balance"]
        self.random = SplitMix64(int(settings.get("seed", 0)))
        self.counter = int(settings.get("counter", 0))
        self.warm_up = int(settings.get("warm_up", 1000))
        self.zone = settings.get("zone", "")
        self.version = settings.get("version", "any")
        self.group = settings.get("group", "default")
        self.key = settings.get("key")
        self.tried = settings.get("tried", "").split(",")
        self.instances = sorted(instances, key=lambda i: i.id.encode())

    def choice(self) -> list[Instance]:
        fitting = [i for i in self.instances if in_range(i.version, self.version) and i.group == self.group]
        callable_ = [i for i in fitting if i.enabled and i.weight > 0]
        candidates = [i for i in callable_ if not i.ejected]
        near = [i for i in candidates if i.zone == self.zone] if self.zone else []
        whole = sum(i.weight for i in fitting if i.zone == self.zone)
        if 2 * sum(i.weight for i in near) < whole:
            near = []
        fresh = [[i for i in some if i.id not in self.tried] for some in (near, candidates, callable_)]
        return next((some for some in [*fresh, candidates, callable_] if some), [])

    def weighted(self, some: list[Instance]) -> Instance:
        x = self.random.below(sum(i.effective(self.warm_up) for i in some))
        for instance in some:
            x -= instance.effective(self.warm_up)
            if x < 0:
                return instance
        raise AssertionError

    def pick(self) -> Instance | None:
        some = self.choice()
        if len(some) < 2:
            return some[0] if some else None
        if self.balance == "round_robin":
            self.counter += 1
            return some[(self.counter - 1) % len(some)]
        if self.balance == "random":
            return some[self.random.below(len(some))]
        if self.balance == "weighted":
            return self.weighted(some)
        if self.balance == "hash" and self.key is not None:
            name = pick_by_hash({i.id: (i.weight, i.in_flight) for i in some}, self.key.encode())
            return next(i for i in some if i.id == name)
        a = self.weighted(some)
        if a.cost(self.warm_up) == a.effective(self.warm_up):
            return a
        b = self.weighted([i for i in some if i is not a])
        cost_a = a.cost(self.warm_up) * b.effective(self.warm_up)
        return a if cost_a <= b.cost(self.warm_up) * a.effective(self.warm_up) else b


SCENARIOS = [
    ("round_robin", "balance=round_robin calls=7", "a b c"),
    ("round_robin_sorts", "balance=round_robin calls=4 counter=7", "c a b"),
    ("round_robin_sorts_by_bytes", "balance=round_robin calls=4", "🙂 ａ a Z"),
    ("round_robin_ignores_weights", "balance=round_robin calls=6", "a;weight=1 b;weight=10000 c"),
    ("round_robin_skips", "balance=round_robin calls=6", "a;enabled=no b c;weight=0 d e;ejected=yes"),
    ("round_robin_one", "balance=round_robin calls=3 counter=1", "a b;enabled=no"),
    ("random", "balance=random seed=1 calls=24", "a b c d e"),
    ("random_ignores_weights", "balance=random seed=2 calls=24", "a;weight=1 b;weight=10000 c"),
    ("weighted", "balance=weighted seed=3 calls=40", "a;weight=10 b;weight=100 c;weight=50 d;weight=1"),
    ("weighted_largest", "balance=weighted seed=4 calls=24", "a;weight=10000 b;weight=10000 c;weight=1"),
    (
        "weighted_warm_up",
        "balance=weighted seed=5 calls=40",
        "a b;age=0 c;age=99 d;age=500 e;age=999 f;age=1000 g;weight=3;age=10",
    ),
    ("weighted_warm_up_long", "balance=weighted seed=6 calls=40 warm_up=30000", "a b;age=4000 c;age=29999 d;age=30000"),
    ("weighted_warm_up_off", "balance=weighted seed=7 calls=20 warm_up=0", "a b;age=0"),
    ("least_loaded_idle", "balance=least_loaded seed=8 calls=24", "a b c d"),
    ("least_loaded_idle_by_weight", "balance=least_loaded seed=21 calls=60", "a;weight=50 b c;weight=300"),
    ("least_loaded_two", "balance=least_loaded seed=9 calls=12", "a;in_flight=3 b;in_flight=2"),
    ("least_loaded_tie_goes_to_the_first", "balance=least_loaded seed=10 calls=12", "a b"),
    ("least_loaded_holds", "balance=least_loaded seed=11 calls=40 hold=yes", "a b c d e"),
    (
        "least_loaded_holds_weights",
        "balance=least_loaded seed=12 calls=60 hold=yes",
        "a;weight=10 b;weight=100 c;weight=200",
    ),
    (
        "least_loaded_latency",
        "balance=least_loaded seed=13 calls=40",
        "a;latency=0.3 b;latency=4 c;latency=4.01 d;latency=900 e;latency=16",
    ),
    (
        "least_loaded_latency_against_load",
        "balance=least_loaded seed=14 calls=40 hold=yes",
        "a;latency=15 b;latency=0.1 c;latency=4",
    ),
    ("least_loaded_latency_is_bounded", "balance=least_loaded seed=15 calls=12", "a;latency=1e9 b;latency=5e6"),
    ("least_loaded_avoided", "balance=least_loaded seed=16 calls=24", "a;avoided=yes b c"),
    (
        "least_loaded_avoided_but_idle",
        "balance=least_loaded seed=17 calls=24",
        "a;avoided=yes b;in_flight=1 c;in_flight=2",
    ),
    ("least_loaded_warm_up", "balance=least_loaded seed=18 calls=40 hold=yes", "a b;age=0 c;age=350"),
    (
        "least_loaded_many",
        "balance=least_loaded seed=19 calls=50 hold=yes",
        " ".join(f"10.0.0.{i}-9090" for i in range(1, 21)),
    ),
    ("hash", "balance=hash calls=3 key=customer-7", "a b c d"),
    ("hash_bound", "balance=hash calls=12 hold=yes key=customer-7", "a b c d"),
    ("hash_bound_weights", "balance=hash calls=14 hold=yes key=customer-7", "a;weight=10 b c;weight=300"),
    ("hash_ejected", "balance=hash calls=2 key=customer-7", "a;ejected=yes b c d"),
    ("hash_not_the_warm_up", "balance=hash calls=8 hold=yes key=customer-7", "a;age=0 b;age=0 c;age=0"),
    ("hash_tried", "balance=hash calls=1 key=customer-7 tried=c", "a b c d"),
    ("hash_tried_two", "balance=hash calls=1 key=customer-7 tried=c,b", "a b c d"),
    ("hash_without_key", "balance=hash seed=8 calls=24", "a b c d"),
    (
        "version",
        "balance=round_robin calls=6 version=2",
        "a;version=1 b;version=2 c;version=1,2 d e;version=3 f;version=20",
    ),
    ("version_range", "balance=round_robin calls=6 version=2-3", "a;version=1 b;version=2 c;version=1,4 d e;version=3"),
    (
        "version_from",
        "balance=round_robin calls=6 version=10+",
        "a;version=9 b;version=10 c;version=999999999 d;version=1",
    ),
    ("version_none", "balance=round_robin calls=1 version=7", "a;version=1 b;version=2"),
    ("group", "balance=round_robin calls=4 group=blue", "a b;group=blue c;group=green d;group=blue e;group=BLUE"),
    ("group_default", "balance=round_robin calls=4", "a b;group=blue c;group=default"),
    ("zone", "balance=round_robin calls=4 zone=west", "a;zone=west b;zone=east c;zone=west d"),
    ("zone_at_half", "balance=round_robin calls=4 zone=west", "a;zone=west b;zone=east c;zone=west;ejected=yes"),
    (
        "zone_below_half",
        "balance=round_robin calls=4 zone=west",
        "a;zone=west;weight=99 b;zone=east c;zone=west;ejected=yes",
    ),
    (
        "zone_half_is_of_disabled_ones_too",
        "balance=round_robin calls=5 zone=west",
        "a;zone=west b;zone=east c;zone=west;enabled=no d;zone=west;enabled=no",
    ),
    (
        "zone_half_is_of_the_fitting",
        "balance=round_robin calls=3 zone=west version=1",
        "a;zone=west;version=1 b;zone=east;version=1 c;zone=west;version=2;weight=900 d;zone=west;group=blue;weight=900",
    ),
    ("zone_unknown", "balance=round_robin calls=3 zone=north", "a;zone=west b;zone=east"),
    ("zone_none_of_the_client", "balance=round_robin calls=3", "a;zone=west b;zone=east"),
    ("tried", "balance=round_robin calls=4 tried=a", "a b c"),
    ("tried_all", "balance=round_robin calls=4 tried=a,b,c", "a b c"),
    ("tried_leaves_the_zone", "balance=round_robin calls=3 zone=west tried=a", "a;zone=west b;zone=east c;zone=east"),
    ("tried_prefers_an_ejected_one", "balance=round_robin calls=2 tried=a", "a b;ejected=yes"),
    ("tried_all_but_the_disabled", "balance=round_robin calls=3 tried=a,b", "a b;ejected=yes c;enabled=no d;weight=0"),
    ("panic", "balance=round_robin calls=4", "a;ejected=yes b;ejected=yes c;enabled=no d;weight=0"),
    (
        "panic_leaves_the_zone",
        "balance=round_robin calls=3 zone=west",
        "a;ejected=yes;zone=west b;ejected=yes;zone=east",
    ),
    ("nobody", "balance=least_loaded calls=1", "a;enabled=no b;weight=0 c;group=blue"),
]


def rows():
    yield ["# name", "settings", "instances", "picks"]
    for name, text, instances in SCENARIOS:
        settings = dict(pair.split("=") for pair in text.split(" "))
        client = Client(settings, [Instance(each) for each in instances.split(" ")])
        picks = []
        for _ in range(int(settings["calls"])):
            picked = client.pick()
            picks.append(picked.id if picked else "none")
            if picked and settings.get("hold") == "yes":
                picked.in_flight += 1
        yield [name, text, instances, " ".join(picks)]


def latency_rows():
    yield ["# name", "samples", "at", "latency", "class"]
    scenarios = {
        "fresh": ("", 0),
        "one": ("0=3", 0),
        "one_slow_among_many": (" ".join(f"{at}={50 if at == 400 else 1}" for at in range(0, 500, 20)), 480),
        "one_slow_after_a_silence": ("0=1 2000=50", 2000),
        "slow_from_now_on": (" ".join(f"{at}={50 if at >= 200 else 1}" for at in range(0, 1000, 20)), 980),
        "at_the_same_moment": ("5=10 5=90 5=90", 5),
        "back_in_time": ("5=10 3=90", 5),
        "falls": ("0=50 1000=1 2000=1 12000=1 40000=1", 40000),
        "falls_when_only_looked_at": ("0=500", 3000),
        "is_forgotten": ("0=500", 20000),
        "equal": ("0=5 100=5", 100),
        "mixed": ("0=0.2 5=0.3 9=12 300=0.2 301=0.2 4000=7 9000=0.1", 9500),
        "just_above_four": ("0=4.5", 0),
        "four_exactly": ("0=4", 0),
        "sixteen_exactly": ("0=16", 0),
        "hours": ("0=20000000", 0),
        "failed": ("0=1 10!0.2", 10),
        "failed_after_long": ("0!5000", 0),
        "failed_again": ("0!1 5000!1", 5000),
        "failed_and_answers": ("0!0.1 100=1 200=1", 200),
        "failed_when_slower_still": ("0=3000 100!1", 100),
        "failed_long_ago": ("0!1", 12000),
        "found_well": ("0!1 2000+", 2000),
        "found_well_and_slow": ("0!1 2000+ 2010=8", 2010),
    }
    for name, (text, at) in scenarios.items():
        ewma, last, new = 0.0, 0, True
        for pair in text.split():
            when, kind, sample = re.fullmatch(r"(\d+)([=!+])([\d.]*)", pair).groups()
            if kind == "+":
                ewma, new = 0.0, True
                continue
            w = 0 if new else math.exp(-max(0, int(when) - last) / TAU_MS)
            if kind == "!":
                ewma = max(ewma, float(sample), FAILED_MS)
            else:
                ewma = ewma * w + float(sample) * (1 - w)
            last, new = int(when), False
        seen = ewma * math.exp(-max(0, at - last) / TAU_MS)
        yield [name, text or "-", str(at), f"{seen:.6f}", str(latency_class(seen))]
