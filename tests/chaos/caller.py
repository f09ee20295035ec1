"""A load from Python: `caller.py TARGET [KEY=VALUE]…`, with the keys of SETTINGS.

A line on its standard input asks how the calls went since the line before; its end ends the program. Each answer is one
line of JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import calculate
import calculate.aio

sys.path.insert(0, str(Path(__file__).with_name("newer") / "python"))
from newer import Calculate, ttypes

SETTINGS = {
    "rate": "100",  # calls a second; 0: as many as can be made
    "callers": "4",  # how many call at once
    "ask": "square",  # or, as newer clients do: newer_square, cube
    "by": "",  # who must have computed it, where a newer client asks; empty: anybody
    "above": "0",  # the numbers that are asked for are above this: a proxy can tell the languages apart
    "timeout": "5",  # of each call, in seconds
    "balance": "least_loaded",
    "hedge": "off",
    "style": "threads",  # or: asyncio
}


class Window:
    """How the calls of a while went."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self.failed = self.wrong = 0
        self.took_ms: list[float] = []
        self.errors: dict[str, str] = {}
        # By instance: when attempts failed that were followed by another, in ms since 1970.
        self.failed_at: defaultdict[str, list[int]] = defaultdict(list)

    def note(self, began: float, number: float, root: float | None, error: Exception | None) -> None:
        took = (time.monotonic() - began) * 1000
        with self._lock:
            self.took_ms.append(took)
            if error is not None:
                self.failed += 1
                self.errors.setdefault(type(error).__name__, f"{type(error).__name__}: {error}")
            elif root != number:
                self.wrong += 1

    def tell(self, event: calculate.Event) -> None:
        if event.kind == "retry":
            with self._lock:
                self.failed_at[event.instance].append(round(time.time() * 1000))

    def take(self) -> str:
        """What there was, and begins anew."""
        with self._lock:
            took = sorted(self.took_ms)
            told = {"calls": len(took), "failed": self.failed, "wrong": self.wrong}
            told |= {"errors": list(self.errors.values()), "failed_at": self.failed_at}
            self._begin()
        for name, percent in (("p99_ms", 99), ("slowest_ms", 100)):
            told[name] = took[math.ceil(len(took) * percent / 100) - 1] if took else 0.0
        return json.dumps(told)


class Load:
    """Calls until it is told that it is over."""

    def __init__(self, target: str, settings: dict[str, str]) -> None:
        self.window = Window()
        self.over = threading.Event()
        self._target = target
        self._rate = float(settings["rate"])
        self._callers = int(settings["callers"])
        balancing = calculate.Balancing(balance=settings["balance"], hedge=settings["hedge"], on_event=self.window.tell)
        self._options: dict[str, Any] = {"balancing": balancing}
        self._timeout = float(settings["timeout"])
        # No two calls in flight ask for the same root: an answer that is another call's is seen.
        self._asked, self._by = settings["ask"], settings["by"]
        above = int(settings["above"])
        self._numbers = (float(above + number % 1_000_000 + 1) for number in itertools.count())
        self._drawing = threading.Lock()

    def number(self) -> float:
        with self._drawing:
            return next(self._numbers)

    def run_threads(self) -> None:
        with calculate.connect(self._target, **self._options) as client:
            callers = [threading.Thread(target=self._call, args=(client,)) for _ in range(self._callers)]
            for caller in callers:
                caller.start()
            print("calling", flush=True)
            for caller in callers:
                caller.join()

    def _call(self, client: calculate.Client) -> None:
        due = time.monotonic()
        while not self.over.is_set():
            if self._rate > 0:
                if self.over.wait(max(0.0, due - time.monotonic())):
                    return
                due = max(due + self._callers / self._rate, time.monotonic() - 1)
            number = self.number()
            began = time.monotonic()
            try:
                self.window.note(began, number, self._ask(client, number), None)
            except calculate.CalculateError as error:
                self.window.note(began, number, None, error)

    def _ask(self, client: calculate.Client, number: float) -> float:
        """Asks for ``number``; returns it where it came from the right server."""
        if self._asked == "square":
            return client.square(number * number, timeout=self._timeout)
        method, args = (SQUARE, number**2) if self._asked == "newer_square" else (CUBE, number**3)
        answer = client._channel.call(method, method.args(ttypes.Number(args, "a newer client")), None)
        return round(answer.value) if self._by in ("", answer.computedBy) else math.nan

    async def run_asyncio(self) -> None:
        async with await calculate.aio.connect(self._target, **self._options) as client:
            print("calling", flush=True)
            await asyncio.gather(*(self._call_async(client) for _ in range(self._callers)))

    async def _call_async(self, client: calculate.aio.AsyncClient) -> None:
        while not self.over.is_set():
            number = self.number()
            began = time.monotonic()
            try:
                self.window.note(began, number, await client.square(number * number, timeout=self._timeout), None)
            except calculate.CalculateError as error:
                self.window.note(began, number, None, error)
                await asyncio.sleep(0)


SQUARE = calculate.Method("Square", Calculate.Square_args, Calculate.Square_result, idempotent=True, service="Calculate")
CUBE = calculate.Method("Cube", Calculate.Cube_args, Calculate.Cube_result, idempotent=True, service="Calculate")


def answer(load: Load) -> None:
    for _line in sys.stdin:
        print(load.window.take(), flush=True)
    load.over.set()


def main() -> None:
    target, *arguments = sys.argv[1:]
    settings = SETTINGS | dict(argument.split("=", 1) for argument in arguments)
    load = Load(target, settings)
    threading.Thread(target=answer, args=(load,)).start()
    if settings["style"] == "asyncio":
        asyncio.run(load.run_asyncio())
    else:
        load.run_threads()
    print(load.window.take(), flush=True)


main()
