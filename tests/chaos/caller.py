"""A steady load from Python: calls until its standard input ends, then says how they went as one line of JSON."""

import json
import sys
import threading
import time

import calculate

target, rate = sys.argv[1], float(sys.argv[2])
client = calculate.connect(target)
counts = {"calls": 0, "failed": 0, "wrong": 0, "slowest_ms": 0.0, "errors": []}
lock = threading.Lock()
over = threading.Event()


def call(first: int) -> None:
    number, due = first, time.monotonic()
    while not over.wait(max(0.0, due - time.monotonic())):
        due = max(due + 4 / rate, time.monotonic() - 1)
        number = number % 1_000_000 + 4
        began = time.monotonic()
        error = None
        root = None
        try:
            root = client.square(float(number) ** 2)
        except calculate.CalculateError as failure:
            error = failure
        took = (time.monotonic() - began) * 1000
        with lock:
            counts["calls"] += 1
            counts["slowest_ms"] = max(counts["slowest_ms"], took)
            if error is not None:
                counts["failed"] += 1
                counts["errors"] = [*counts["errors"], f"{type(error).__name__}: {error}"][:3]
            elif root != number:
                counts["wrong"] += 1


callers = [threading.Thread(target=call, args=(first,)) for first in range(4)]
for caller in callers:
    caller.start()
print("calling", flush=True)
sys.stdin.read()
over.set()
for caller in callers:
    caller.join()
client.close()
print(json.dumps(counts), flush=True)
