"""A server that has no descriptor left: what it costs, what it says of it, and how soon it serves again."""

import resource
import socket
import statistics
import subprocess
import tempfile
import time

from process import CALCULATE, cpu_seconds
from hostile import square

DESCRIPTORS = 256
WAITING = 500  # peers that come all the same, and come again when they are turned away
SECONDS, ROUNDS = 5, 5


def measure():
    print(f"\nout of descriptors ({DESCRIPTORS} of them, {WAITING} peers that keep coming; {ROUNDS} rounds of {SECONDS} s)")
    shares, lines, relief = zip(*[round_of_it() for _ in range(ROUNDS)], strict=True)
    print(f"CPU {100 * statistics.median(shares):.1f} % of a core (most {100 * max(shares):.1f} %)")
    print(f"log lines a second: {statistics.median(lines):.1f} (most {max(lines):.1f})")
    print(f"from the first that goes to the next that is served: {1000 * statistics.median(relief):.0f} ms (most {1000 * max(relief):.0f} ms)")


def round_of_it():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))

    with tempfile.TemporaryFile("w+") as log:
        command = [str(CALCULATE), "serve", "--workers", "1", "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=few)
        try:
            host, _, port = server.stdout.readline().removeprefix("listening on ").strip().rpartition(":")
            address = (host, int(port))
            inside = []
            while (peer := served(address)) is not None:
                inside.append(peer)
            crowd = [connected(address) for _ in range(WAITING)]
            before, began, said = cpu_seconds(server.pid), time.monotonic(), count_lines(log)
            while time.monotonic() - began < SECONDS:
                crowd = [peer if not is_over(peer) else connected(address) for peer in crowd]
                time.sleep(0.05)
            spent = time.monotonic() - began
            share, rate = (cpu_seconds(server.pid) - before) / spent, (count_lines(log) - said) / spent
            for peer in crowd:
                peer.close()
            inside.pop().close()
            relieved = time.monotonic()
            while served(address) is None:
                pass
            return share, rate, time.monotonic() - relieved
        finally:
            server.terminate()
            server.wait(30)


def connected(address):
    peer = socket.create_connection(address)
    peer.setblocking(False)
    return peer


def is_over(peer):
    try:
        return peer.recv(1024) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def served(address):
    """A connection whose call was answered within a second, or nothing."""
    peer = socket.create_connection(address)
    peer.settimeout(1)
    try:
        peer.sendall(square())
        if len(peer.recv(1024)) > 4:
            return peer
    except OSError:
        pass
    peer.close()
    return None


def count_lines(log):
    log.seek(0)
    return log.read().count("\n")
