#!/usr/bin/env python3
"""64 callers in one event loop on one connection: this client, and grpc.aio where a Python with grpcio is named.

    bench_aio.py --grpc-python /path/to/venv/bin/python      (pip install grpcio protobuf)

Each client is on one core, each server on another, and they take turns, round by round. Without ``--grpc-server`` the
grpc.aio server is Python and may be the slower half of its pair, so besides calls a second the CPU that the client
itself takes for a call is compared: what one core could do at most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import time
from contextlib import ExitStack
from statistics import median

from peers import HERE, calculate_server, cores, running

from calculate import aio

Round = tuple[float, float]  # calls a second, and microseconds of CPU a call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--calls", type=int, default=1_000, help="of each caller in each round")
    parser.add_argument("--grpc-python", metavar="PYTHON", help="a Python that has grpcio and protobuf")
    parser.add_argument("--grpc-server", metavar="PROGRAM", help="a faster gRPC server of the same service")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    client_core, server_core = cores()
    os.sched_setaffinity(0, client_core)
    ours: list[Round] = []
    grpc: list[Round] = []
    with ExitStack() as stack:
        address = stack.enter_context(calculate_server(server_core))
        peer = [arguments.grpc_python, HERE / "grpc_peer.py"]
        if arguments.grpc_python:
            server = [arguments.grpc_server] if arguments.grpc_server else [*peer, "server"]
            grpc_address = stack.enter_context(running(server, server_core))
        for _ in range(arguments.rounds):
            ours.append(asyncio.run(measure(address, arguments.callers, arguments.calls)))
            if arguments.grpc_python:
                calls = str(arguments.calls // 5)
                command = [*peer, "client", grpc_address, str(arguments.callers), calls]
                rate, cpu = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                grpc.append((rate, cpu))
    report({"ours": ours, "grpc_aio": grpc}, arguments.json)


async def measure(address: str, callers: int, calls: int) -> Round:
    async with await aio.connect(address) as client:

        async def work(count: int) -> None:
            for _ in range(count):
                assert await client.square(9.0) == 3.0

        await asyncio.gather(*(work(5) for _ in range(callers)))
        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work(calls) for _ in range(callers)))
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        return callers * calls / wall, cpu / callers / calls * 1e6


def report(taken: dict[str, list[Round]], as_json: bool) -> None:
    results = {
        name: (median(r[0] for r in list_), median(r[1] for r in list_)) for name, list_ in taken.items() if list_
    }
    figures = {f"{n}_{k}": v for n, r in results.items() for k, v in zip(("calls_per_s", "cpu_us"), r, strict=True)}
    if "grpc_aio" in results:
        figures["ratio"] = results["ours"][0] / results["grpc_aio"][0]
        figures["cpu_ratio"] = results["grpc_aio"][1] / results["ours"][1]
    if as_json:
        print(json.dumps({"benchmark": "python_aio", **figures}))
        return
    for name, (calls_per_s, cpu_us) in results.items():
        print(f"{name:8} {calls_per_s:9.0f} calls/s {cpu_us:8.1f} us CPU a call")
    if "ratio" in figures:
        print(f"ratio    {figures['ratio']:9.2f}         {figures['cpu_ratio']:8.2f}")


if __name__ == "__main__":
    main()
