#!/usr/bin/env python3
"""A grpc.aio service like Calculate (``server``), and a client of it with 64 callers on one channel (``client``).

Run by bench_aio.py with a Python that has grpcio and protobuf. The message, DoubleValue, is Number by another name.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time

import grpc
from google.protobuf.wrappers_pb2 import DoubleValue

METHOD = "/calculate.Calculate/Square"


async def square(request: DoubleValue, _: object) -> DoubleValue:
    return DoubleValue(value=math.sqrt(request.value))


async def serve() -> None:
    handler = grpc.unary_unary_rpc_method_handler(square, DoubleValue.FromString, DoubleValue.SerializeToString)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("calculate.Calculate", {"Square": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


async def call(address: str, callers: int, calls: int) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = channel.unary_unary(METHOD, DoubleValue.SerializeToString, DoubleValue.FromString)

        async def work(count: int) -> None:
            for _ in range(count):
                assert (await stub(DoubleValue(value=9.0), timeout=5.0)).value == 3.0

        await asyncio.gather(*(work(5) for _ in range(callers)))
        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work(calls) for _ in range(callers)))
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(json.dumps([callers * calls / wall, cpu / callers / calls * 1e6]))


if __name__ == "__main__":
    if sys.argv[1] == "server":
        asyncio.run(serve())
    else:
        asyncio.run(call(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
