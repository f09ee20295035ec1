"""Old and new clients, old and new servers, and two versions of the service at once: everybody is served."""

from __future__ import annotations

import time
from contextlib import ExitStack

from processes import ROOT, Fleet, Program, Server
from stage import LONG, Stage

NEWER = ROOT / "target/quick/examples/newer"


class NewerServer(Server):
    """An instance of the newer IDL, which hosts version 1 and 2 of the service."""

    def start(self) -> None:
        address = f"127.0.0.1:{self.port}"
        self._program = Program([NEWER, address, self.base, self.id], "listening on ")


def versions_at_once(stage: Stage) -> None:
    """A rolling update to the newer IDL and back; clients of both IDLs call all servers, and some one version only."""
    fleet = stage.fleet
    old = list(fleet.servers)
    fleet.servers += [NewerServer(fleet.base, number) for number in (5, 6)]
    fleet.until_registered()
    kinds = [
        {},
        {"ask": "newer_square"},
        {"versions": "1", "ask": "newer_square"},
        # Only the newer servers have the method, and only as their version 2 do they say so.
        {"versions": "2", "ask": "cube", "by": "version 2"},
        {"versions": "2+"},
    ]
    with ExitStack() as calling:
        for kind in kinds:
            calling.enter_context(stage.calling(rate=50, callers=2, **kind))
        for _ in range(3 if LONG else 1):
            for number in range(5 if LONG else 2):
                _replace(fleet, number, NewerServer)
            time.sleep(1)
            for number in range(5 if LONG else 2):
                _replace(fleet, number, Server)
            time.sleep(1)
    for server in fleet.servers[5:]:
        server.stop()
    fleet.servers = fleet.servers[:5]
    fleet.until_registered()
    stage.say(f"{len(kinds)} kinds of clients a language: {len(old)} old servers updated and rolled back, 2 newer ones")


def _replace(fleet: Fleet, number: int, kind: type[Server]) -> None:
    """As an update does: the old one leaves, the new one has its id and its place."""
    fleet.servers[number].stop()
    fleet.servers[number] = kind(fleet.base, number, port=fleet.servers[number].port)
    fleet.until_registered()
