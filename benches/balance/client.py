"""What a client of several servers costs, in Python: see measure.py.

client.py cpu CALLERS DIRECT BALANCED ROUNDS CALLS | memory TARGET CLIENTS | changes TARGET
"""

import asyncio
import json
import re
import sys
import time
from pathlib import Path

import calculate
import calculate.aio


def cpu(callers, direct, balanced, rounds, calls):
    """CPU µs a call of so many callers at once, through either client; alternating. One blocks; many have an event loop."""
    rounds, calls = int(rounds), int(calls)
    if callers == "1":
        spent = cpu_of_one(direct, balanced, rounds, calls)
    else:
        spent = asyncio.run(cpu_of_many(direct, balanced, rounds, calls, int(callers)))
    # The first round is for warming up.
    print(json.dumps({name: measured[1:] for name, measured in spent.items()}))


def cpu_of_one(direct, balanced, rounds, calls):
    spent = {"direct": [], "balanced": []}
    with calculate.connect(direct) as one, calculate.connect(balanced) as several:
        for _ in range(rounds + 1):
            for name, client in (("direct", one), ("balanced", several)):
                began = time.process_time()
                for _ in range(calls):
                    client.square(9.0)
                spent[name].append((time.process_time() - began) / calls * 1e6)
    return spent


async def cpu_of_many(direct, balanced, rounds, calls, callers):
    async def call(client):
        for _ in range(calls // callers):
            await client.square(9.0)

    spent = {"direct": [], "balanced": []}
    async with await calculate.aio.connect(direct) as one, await calculate.aio.connect(balanced) as several:
        for _ in range(rounds + 1):
            for name, client in (("direct", one), ("balanced", several)):
                began = time.process_time()
                await asyncio.gather(*(call(client) for _ in range(callers)))
                spent[name].append((time.process_time() - began) / calls * 1e6)
    return spent


def memory(target, clients):
    """Resident KiB a client that knows its instances, and more for one that is connected to all of them."""
    balancing = calculate.Balancing("round_robin", cache_file="")
    kept = [calculate.connect(target, balancing=balancing)]
    before = resident_kib()
    kept += [calculate.connect(target, balancing=balancing) for _ in range(int(clients))]
    known = resident_kib()
    for _ in range(1000):
        kept[1].square(9.0)
    connected = resident_kib() - known
    print(json.dumps({"known_kib": (known - before) / int(clients), "connected_kib": connected}))


def resident_kib():
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text()).group(1))


def changes(target):
    """Says when it has learnt of an instance: a line with its id, and the time in ns since 1970."""

    def tell(event):
        if event.kind == "instance_up":
            print(event.instance, time.time_ns(), flush=True)

    with calculate.connect(target, balancing=calculate.Balancing(cache_file="", on_event=tell)):
        print("ready", flush=True)
        sys.stdin.read()


{"cpu": cpu, "memory": memory, "changes": changes}[sys.argv[1]](*sys.argv[2:])
