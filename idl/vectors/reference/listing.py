"""list.tsv: what is in the list, whatever the registry says."""

HEADER = """
Columns, separated by one tab. The rows of one scenario follow each other and share one state.

    scenario  unique to its rows
    at        ms, on a clock that only goes forward
    event     cached: the list read from the cache file, at a cold start; read: all that the registry has; connected, lost: its
              session; tick: time has passed (removals that are due happen then); failed: an attempt of a call failed there
    argument  for cached and read: ID=ADDRESS separated by one space, "-" for none; for failed the ID; else "-"
    list      afterwards: the IDs in force, sorted, separated by one space, "-" for none
    events    what was told, in this order: instance_up=ID (sorted), instance_down=ID (sorted), list_empty_ignored, list_stale,
              list_fresh; "-" for nothing

Who is in a read is in the list at once (ID known with another address: instance_down and instance_up, at once, and it is new to
health and warm-up; enabled, weight, version, group and zone are taken at once and tell nothing).
Who is in the list and not in a read is missing since that read, and is removed at the first tick when
    - it has been missing for 2000 ms, or for 30000 ms if ever, since it is missing, more than half of the list was missing in
      one read (2 * missing > list, who is missing counted in both, who comes with the read in none),
    - and the session is connected and, when it was lost before, connected again for 5000 ms.
or at once when an attempt fails there (a failure as health.tsv knows it: it is to blame) while the session is connected, for
then two say that it is gone; but never the last one of the list.
A read that has it again: nothing happened. A read without any instance is not taken (list_empty_ignored, when the list is not
empty): it changes nothing. Skipped nodes are not instances, so a read of nothing but broken nodes is empty, too.
cached is taken only while the list is empty; what it brought is told as instance_up and is stale: list_stale, once.
lost tells list_stale. The first read that is taken while it is stale tells list_fresh. Stale is told once until it is fresh.
The first list is the one after the first event that brings instances; who comes later warms up.
"""

HOLD_MS, HOLD_MASS_MS, HOLD_RECONNECTED_MS = 2000, 30_000, 5000


class Listing:
    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.missing: dict[str, tuple[int, int]] = {}  # ID → (since, hold)
        self.connected, self.was_lost, self.connected_at = False, False, 0
        self.stale = False

    def cached(self, now: int, found: dict[str, str]) -> list[str]:
        if self.addresses or not found:
            return []
        return self.take(found) + self.go_stale()

    def read(self, now: int, found: dict[str, str]) -> list[str]:
        if not found:
            return ["list_empty_ignored"] if self.addresses else []
        before = len(self.addresses)
        events = self.take(found)
        self.missing = {i: self.missing.get(i, (now, HOLD_MS)) for i in self.addresses if i not in found}
        if 2 * len(self.missing) > before:
            self.missing = {i: (since, HOLD_MASS_MS) for i, (since, _) in self.missing.items()}
        if self.stale:
            self.stale = False
            events.append("list_fresh")
        return events

    def take(self, found: dict[str, str]) -> list[str]:
        moved = {i for i in found if i in self.addresses and self.addresses[i] != found[i]}
        ups = sorted(moved | (found.keys() - self.addresses.keys()))
        self.addresses.update(found)
        return [f"instance_up={i}" for i in ups] + [f"instance_down={i}" for i in sorted(moved)]

    def connected_(self, now: int) -> list[str]:
        self.connected, self.connected_at = True, now
        return []

    def lost(self, now: int) -> list[str]:
        self.connected, self.was_lost = False, True
        return self.go_stale()

    def go_stale(self) -> list[str]:
        told = [] if self.stale else ["list_stale"]
        self.stale = True
        return told

    def tick(self, now: int) -> list[str]:
        if not self.connected or (self.was_lost and now - self.connected_at < HOLD_RECONNECTED_MS):
            return []
        due = sorted(i for i, (since, hold) in self.missing.items() if now - since >= hold)
        for i in due:
            del self.addresses[i], self.missing[i]
        return [f"instance_down={i}" for i in due]

    def failed(self, now: int, i: str) -> list[str]:
        if not self.connected or i not in self.missing or len(self.addresses) == 1:
            return []
        del self.addresses[i], self.missing[i]
        return [f"instance_down={i}"]


SCENARIOS = {
    "first": ["0 connected", "5 read a=1 b=2", "6 read a=1 b=2"],
    "added": ["0 connected", "5 read a=1", "10 read a=1 b=2"],
    "removed": ["0 connected", "0 read a=1 b=2 c=3", "100 read a=1 b=2", "2099 tick", "2100 tick"],
    "blink": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "100 read a=1 b=2",
        "2099 read a=1 b=2 c=3",
        "2100 tick",
        "9000 tick",
    ],
    "blinks_do_not_add_up": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "100 read a=1 b=2",
        "1500 read a=1 b=2 c=3",
        "1600 read a=1 b=2",
        "2200 tick",
        "3600 tick",
    ],
    "a_second_read_does_not_begin_anew": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "100 read a=1 b=2",
        "2000 read a=1 b=2",
        "2100 tick",
    ],
    "moved": ["0 connected", "0 read a=1 b=2", "10 read a=9 b=2"],
    "moved_while_missing": ["0 connected", "0 read a=1 b=2 c=3", "10 read b=2 c=3", "20 read a=9 b=2 c=3", "3000 tick"],
    "empty": ["0 connected", "0 read a=1 b=2", "10 read -", "99999 tick", "100000 read -", "200000 read a=1 b=2"],
    "empty_at_first": ["0 connected", "0 read -", "10 read a=1"],
    "empty_keeps_what_is_missing": ["0 connected", "0 read a=1 b=2 c=3", "10 read a=1 b=2", "20 read -", "2010 tick"],
    "half_is_no_mass": ["0 connected", "0 read a=1 b=2 c=3 d=4", "10 read a=1 b=2", "2010 tick"],
    "mass": ["0 connected", "0 read a=1 b=2 c=3", "10 read a=1", "2010 tick", "30009 tick", "30010 tick"],
    "mass_bit_by_bit": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 read a=1 b=2",
        "20 read a=1",
        "2020 tick",
        "30009 tick",
        "30010 tick",
        "30020 tick",
    ],
    "mass_is_not_extended": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 read a=1",
        "20000 read a=1",
        "30010 tick",
    ],
    "mass_stays_mass": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 read a=1",
        "20 read a=1 b=2",
        "2010 tick",
        "30010 tick",
    ],
    "mass_of_strangers": ["0 connected", "0 read a=1 b=2", "10 read x=8 y=9", "2010 tick", "30010 tick"],
    "lost": ["0 connected", "0 read a=1 b=2 c=3", "10 read a=1 b=2", "20 lost", "9000 tick", "99000 tick"],
    "lost_and_back": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 lost",
        "15 lost",
        "1000 connected",
        "1010 read a=1 b=2",
        "3010 tick",
        "5999 tick",
        "6000 tick",
    ],
    "lost_again": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 lost",
        "1000 connected",
        "1010 read a=1 b=2",
        "3000 lost",
        "7000 tick",
        "8000 connected",
        "8010 read a=1 b=2",
        "12999 tick",
        "13000 tick",
    ],
    "back_with_nothing": [
        "0 connected",
        "0 read a=1 b=2",
        "10 lost",
        "1000 connected",
        "1010 read -",
        "1020 read a=1 b=2",
    ],
    "failed": ["0 connected", "0 read a=1 b=2 c=3", "10 failed c", "20 tick"],
    "failed_and_missing": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 read a=1 b=2",
        "11 failed a",
        "11 failed c",
        "12 failed c",
    ],
    "failed_before_it_is_missing": ["0 connected", "0 read a=1 b=2 c=3", "5 failed c", "10 read a=1 b=2", "2009 tick"],
    "failed_of_a_mass": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 read a=1",
        "20 failed b",
        "2010 tick",
        "30010 tick",
    ],
    "failed_down_to_the_last": [
        "0 connected",
        "0 read a=1 b=2",
        "10 read x=7",
        "20 failed a",
        "21 failed b",
        "22 failed x",
    ],
    "failed_the_last": [
        "0 cached a=1",
        "10 connected",
        "20 read b=2",
        "30 failed b",
        "31 failed a",
        "40 lost",
        "41 failed b",
    ],
    "failed_while_lost": [
        "0 connected",
        "0 read a=1 b=2 c=3",
        "10 read a=1 b=2",
        "20 lost",
        "30 failed c",
        "40 connected",
        "50 failed c",
    ],
    "failed_and_back": ["0 connected", "0 read a=1 b=2 c=3", "10 read a=1 b=2", "20 failed c", "30 read a=1 b=2 c=3"],
    "cold_start": ["0 cached a=1 b=2", "3000 tick", "4000 connected", "4010 read a=1 b=2 c=3", "6010 tick"],
    "cold_start_outdated": [
        "0 cached a=1 b=2",
        "10 connected",
        "20 read c=3",
        "30 read c=3",
        "2020 tick",
        "30020 tick",
    ],
    "cold_start_too_late": ["0 connected", "10 read a=1", "20 cached b=2"],
    "cold_start_empty_registry": ["0 cached a=1", "10 connected", "20 read -", "30 read a=1"],
}


def rows():
    yield ["# scenario", "at", "event", "argument", "list", "events"]
    for scenario, steps in SCENARIOS.items():
        listing = Listing()
        for step in steps:
            at, event, *pairs = step.split(" ")
            found = dict(pair.split("=") for pair in pairs if "=" in pair)
            arguments = (found,) if event in ("cached", "read") else tuple(pairs)
            told = getattr(listing, {"connected": "connected_"}.get(event, event))(int(at), *arguments)
            # The order of the header, whatever the order above.
            order = ["instance_up", "instance_down", "list_empty_ignored", "list_stale", "list_fresh"]
            told.sort(key=lambda each: order.index(each.split("=")[0]))
            names = " ".join(sorted(listing.addresses)) or "-"
            yield [scenario, at, event, " ".join(pairs) or "-", names, " ".join(told) or "-"]
