"""Where a scenario plays: a ZooKeeper, five servers, callers, and what was found."""

from __future__ import annotations

import os

from load import LANGUAGES, Callers, Window
from processes import Fleet, Outsider, ZooKeeper

LONG = os.environ.get("CHAOS", "short") == "long"


class Stage:
    def __init__(self, *, nodes: int = 1, proxied: bool = False) -> None:
        self.zookeeper = ZooKeeper(nodes)
        self.fleet = Fleet(self.zookeeper, 5, proxied=proxied)
        self.begin()

    def begin(self) -> None:
        """Of another scenario."""
        self.totals: dict[str, Window] = {language: Window() for language in LANGUAGES}
        self.found: list[str] = []
        self.faults: list[str] = []

    def calling(self, *, versions: str = "", **settings: object) -> Callers:
        """A steady load on the fleet, or what is set; on instances that host one of the versions."""
        target = f"{self.fleet.target}?version={versions}" if versions else self.fleet.target
        return Callers(target, totals=self.totals, **settings)

    def outsider(self) -> Outsider:
        return Outsider(self.fleet)

    def say(self, text: str) -> None:
        """A figure that belongs to the table."""
        self.found.append(text)

    def expect(self, condition: bool, text: str) -> None:
        """Says it, as a fault when it is not so."""
        (self.found if condition else self.faults).append(text)

    def expect_quietly(self, condition: bool, text: str) -> None:
        """As ``expect``; says nothing of what is as it should be."""
        if not condition:
            self.faults.append(text)

    def end(self) -> None:
        self.fleet.end()
        self.zookeeper.end()
