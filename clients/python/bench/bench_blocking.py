#!/usr/bin/env python3
"""One blocking caller: this client against Apache's own (TFramedTransport, TBinaryProtocol), same server.

The two take turns in many short rounds, so that what else the machine does meets both alike. The figures are medians
of rounds, the ratio is the median of each round's ratio. The client is on one core, the server on another.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from statistics import median

from peers import calculate_server, cores
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TFramedTransport

import calculate
from calculate._gen import Calculate
from calculate._gen.ttypes import Number

Round = tuple[float, float]  # calls a second, and microseconds of CPU a call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--calls", type=int, default=200, help="in each round")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    client_core, server_core = cores()
    with calculate_server(server_core) as address:
        os.sched_setaffinity(0, client_core)
        results = race(address, arguments.rounds, arguments.calls)
    report(results, arguments.json)


def race(address: str, rounds: int, calls: int) -> dict[str, list[Round]]:
    host, _, port = address.rpartition(":")
    socket = TSocket(host, int(port))
    socket.setTimeout(5_000)
    transport = TFramedTransport(socket)
    transport.open()
    stock = Calculate.Client(TBinaryProtocol(transport))
    with calculate.connect(address) as ours:
        contenders: dict[str, Callable[[], object]] = {
            "ours": lambda: ours.square(9.0),
            "apache": lambda: stock.Square(Number(9.0)).value,
        }
        taken: dict[str, list[Round]] = {name: [] for name in contenders}
        for number in range(rounds + 1):
            for name in sorted(contenders, reverse=number % 2 == 0):
                measured = measure(contenders[name], calls)
                if number:  # the first is for warming up
                    taken[name].append(measured)
    transport.close()
    return taken


def measure(call: Callable[[], object], calls: int) -> Round:
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - started), (time.process_time() - cpu) / calls * 1e6


def report(taken: dict[str, list[Round]], as_json: bool) -> None:
    pairs = list(zip(taken["ours"], taken["apache"], strict=True))
    rate = median(ours[0] / apache[0] for ours, apache in pairs)
    cpu = median(apache[1] / ours[1] for ours, apache in pairs)
    medians = {name: (median(r[0] for r in list_), median(r[1] for r in list_)) for name, list_ in taken.items()}
    if as_json:
        figures = {f"{n}_{k}": v for n, r in medians.items() for k, v in zip(("calls_per_s", "cpu_us"), r, strict=True)}
        print(json.dumps({"benchmark": "python_blocking", **figures, "ratio": rate, "cpu_ratio": cpu}))
        return
    for name, (calls_per_s, cpu_us) in medians.items():
        print(f"{name:8} {calls_per_s:9.0f} calls/s {cpu_us:8.1f} us CPU a call")
    print(f"ratio    {rate:9.2f}         {cpu:8.2f}")


if __name__ == "__main__":
    main()
