"""health.tsv: who is ejected, for how long, and when it returns."""

from .numbers import SplitMix64

HEADER = """
Columns, separated by one tab. The rows of one scenario follow each other and share one state.

    scenario  its first row is "begin"
    at        ms, on a clock that only goes forward
    event     begin, fail, probe_well, probe_failed, look
    instance  the ID that the event is about; for begin "seed=N IDS", for look "-"
    expect    for fail and probe_failed: "ejected MS" (for how long), "stays" (it was out already) or "spared" (not ejected, as
              too many are); for probe_well: "returned"; for look: "in=IDS out=IDS due=IDS", each sorted and separated by a
              comma, "-" for none: the candidates; the ejected; of these, those whose time is up and that are to be probed

A failure ejects at once, for D = min(30000, 1000 * 2^(n-1)) ms, n = 1, 2, …: how often without 60 s between two failures
(a failure 60000 ms or more after the last one starts at n = 1 again). With jitter: D * (900 + below(201)) / 1000, whole
numbers; one random number (splitmix64) for every ejection, none when nothing is ejected.
Ejected, waiting to be probed or being probed count as out. At most floor(all / 2) may be out, where "all" are the instances
that are enabled, have a weight and fit (also those that are out): who would be one too many is spared, and its n stays.
A failure of somebody who is out changes nothing but the time of its last failure. A failed probe ejects anew with n + 1, also
when too many are out (it is out already); a probe that is well returns it, and its n stays. A success changes nothing.
An instance that leaves the list, or comes back at another address, is forgotten.
"""

FIRST_MS, LONGEST_MS, FORGET_MS = 1000, 30_000, 60_000


class Health:
    def __init__(self, seed: int, names: list[str]) -> None:
        self.random = SplitMix64(seed)
        self.names = names
        self.n = dict.fromkeys(names, 0)
        self.failed = dict.fromkeys(names, -FORGET_MS)
        self.until: dict[str, int] = {}

    def eject(self, name: str, now: int) -> str:
        self.n[name] += 1
        length = min(LONGEST_MS, FIRST_MS * 2 ** (self.n[name] - 1)) * (900 + self.random.below(201)) // 1000
        self.until[name] = now + length
        return f"ejected {length}"

    def fail(self, name: str, now: int) -> str:
        if now - self.failed[name] >= FORGET_MS:
            self.n[name] = 0
        self.failed[name] = now
        if name in self.until:
            return "stays"
        return self.eject(name, now) if len(self.until) < len(self.names) // 2 else "spared"

    def probe_failed(self, name: str, now: int) -> str:
        self.failed[name] = now
        return self.eject(name, now)

    def probe_well(self, name: str) -> str:
        del self.until[name]
        return "returned"

    def look(self, now: int) -> str:
        sets = {
            "in": [n for n in self.names if n not in self.until],
            "out": sorted(self.until),
            "due": sorted(n for n, until in self.until.items() if until <= now),
        }
        return " ".join(f"{key}={','.join(names) or '-'}" for key, names in sets.items())


SCENARIOS = {
    "one": (1, "a b c", ["0 fail a", "0 look", "899 look", "1100 look", "1100 probe_well a", "1100 look"]),
    "doubles": (
        2,
        "a b c d",
        [
            "0 fail a",
            "1100 probe_failed a",
            "1100 look",
            "3400 probe_failed a",
            "8000 probe_failed a",
            "17000 probe_failed a",
            "35000 probe_failed a",
            "70000 probe_failed a",
            "105000 look",
            "105000 probe_well a",
            "105001 fail a",
        ],
    ),
    "remembers_after_its_return": (3, "a b", ["0 fail a", "1100 probe_well a", "1200 fail a", "4000 probe_well a"]),
    "forgets_after_a_minute": (
        4,
        "a b",
        ["0 fail a", "1100 probe_well a", "59999 fail a", "63000 probe_well a", "119999 fail a"],
    ),
    "half_at_most": (
        5,
        "a b c d e",
        ["0 fail a", "1 fail b", "2 fail c", "3 look", "1200 probe_well a", "1201 fail c", "1202 fail d", "1203 look"],
    ),
    "never_the_only_one": (6, "a", ["0 fail a", "0 look", "10 fail a", "10 look"]),
    "one_of_two": (7, "a b", ["0 fail b", "0 fail a", "0 look"]),
    "one_of_three": (8, "a b c", ["0 fail b", "0 fail a", "0 look"]),
    "spared_does_not_count": (9, "a b", ["0 fail a", "5 fail b", "6 fail b", "1100 probe_well a", "1101 fail b"]),
    "late_failures_change_nothing": (10, "a b", ["0 fail a", "1 fail a", "2 fail a", "2 look", "1100 probe_failed a"]),
    "late_failures_are_remembered": (11, "a b", ["0 fail a", "900 fail a", "1100 probe_well a", "60500 fail a"]),
    "a_failed_probe_needs_no_room": (12, "a b", ["0 fail a", "1100 fail b", "1100 probe_failed a", "1100 look"]),
}


def rows():
    yield ["# scenario", "at", "event", "instance", "expect"]
    for scenario, (seed, names, steps) in SCENARIOS.items():
        health = Health(seed, names.split())
        yield [scenario, "0", "begin", f"seed={seed} {names}", "-"]
        for step in steps:
            at, event, *name = step.split()
            now = int(at)
            if event == "look":
                expect = health.look(now)
            elif event == "probe_well":
                expect = health.probe_well(name[0])
            else:
                expect = getattr(health, event)(name[0], now)
            yield [scenario, at, event, *(name or ["-"]), expect]
