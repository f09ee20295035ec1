"""A client that is wrong on purpose: it takes replies in the order in which it called, whatever their sequence ids say.

`broken_client.py HOST:PORT` says how its calls went, as the callers do. Behind the proxy its answers must be found
wrong: that proves that wrong answers are found.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections import deque

CALLS = 2000
AT_ONCE = 16


class BrokenClient:
    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._place = (host, int(port))
        self.counts = {"calls": 0, "failed": 0, "wrong": 0}

    def connect_and_call(self) -> None:
        """On one connection, until it ends."""
        waiting: deque[float] = deque()
        with socket.create_connection(self._place, timeout=0.5) as connection:
            replies = connection.makefile("rb")
            try:
                while self.counts["calls"] < CALLS:
                    while len(waiting) < AT_ONCE:
                        number = float(self.counts["calls"] + 1)
                        self.counts["calls"] += 1
                        waiting.append(number)
                        connection.sendall(_call(number))
                    if _answer(replies.read(4 + _REPLY_BYTES)) != waiting[0]:
                        self.counts["wrong"] += 1
                    waiting.popleft()
            except OSError:
                pass
        self.counts["failed"] += len(waiting)


_REPLY_BYTES = 4 + 4 + 6 + 4 + 3 + 3 + 8 + 1 + 1


def _call(number: float) -> bytes:
    """Square of the number's square, framed, in the binary protocol."""
    head = struct.pack(">Ii6sI", 0x80010001, 6, b"Square", int(number))
    message = head + struct.pack(">bhbhd", 12, 1, 4, 1, number * number) + b"\0\0"
    return struct.pack(">I", len(message)) + message


def _answer(reply: bytes) -> float:
    if len(reply) < 4 + _REPLY_BYTES:
        raise ConnectionError("cut")
    return struct.unpack(">d", reply[-10:-2])[0]


client = BrokenClient(sys.argv[1])
while client.counts["calls"] < CALLS:
    client.connect_and_call()
print(json.dumps(client.counts))
