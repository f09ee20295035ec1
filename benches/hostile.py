"""A well-behaved client beside a crowd that means no good: its latencies, the server's memory, and the crowd's end.

The crowd: 10,000 idle connections, 1,000 peers that have sent half a message, 1,000 that send a byte a second, 1,000 that
never read their replies. These last come by the unix socket: over TCP the kernel takes megabytes of replies for each of
them before the server sees that nobody reads. All limits and time-outs are the defaults.

An echo server of another process, on the server's core, is called in the same seconds. No one in the crowd knows it: what its
client sees of the crowd is the machine (which stands still for some ms about once a second, and more often with more memory in
use), and what the server's client sees beyond that is the server.
"""

import json
import os
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager

from process import CALCULATE, LOAD_CORE, ROOT, cpu_seconds, memory_kib, running

IDLE, OFFENDERS = 10_000, 1_000
RATE, SECONDS, ROUNDS = "1000", "5", int(os.environ.get("ROUNDS", "8"))
ECHO = ROOT / "benches/peers/target/release/echo-epoll"
DEADLINE = 30  # the default of --message-timeout and --write-timeout
CALLS_UNREAD = 8_000  # their replies are more than a unix socket holds
CERTIFICATES = ROOT / "target/certs"


def measure():
    anywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    try:
        measure_all()
    finally:
        os.sched_setaffinity(0, anywhere)


def measure_all():
    for title, flags, client in (
        ("plain", [], []),
        ("TLS", tls_flags(), ["--tls-ca", str(CERTIFICATES / "ca.pem"), "--tls-server-name", "localhost"]),
    ):
        print(f"\na crowd beside {RATE} calls/s, {title}: {ROUNDS} rounds, each {SECONDS} s without and with")
        with tempfile.TemporaryDirectory() as folder:
            beside(f"{folder}/crowd.sock", flags, client)


def tls_flags():
    pair = ["--tls-certificate", str(CERTIFICATES / "server.pem"), "--tls-key", str(CERTIFICATES / "server.key")]
    return ["--tls", "allow", *pair]


def beside(unix, flags, client):
    # The first line names the first address.
    command = [str(CALCULATE), "serve", "--workers", "1", *flags, "--listen", "127.0.0.1:0", "--listen", f"unix:{unix}"]
    without, beside_it = [], []
    with running([str(ECHO)]) as (_, echo), running(command) as (process, address):
        both = (address, client), (echo, ["--expect", "echo"])
        load(*both)
        for number in range(1, ROUNDS + 1):
            without.append(load(*both))
            before = memory_kib(process.pid)
            with idle(address, client):
                held = memory_kib(process.pid)
                crowd = Crowd(address, unix)
                peak = memory_kib(process.pid)
                beside_it.append(load(*both))
                crowd.must_be_whole()
                if number == ROUNDS:
                    crowd.see_them_cut()
                crowd.close()
            if number == 1:
                # Later rounds find what the first has left: their difference is no measure.
                print(f"memory per idle connection, {IDLE:,} of them after one call: {(held - before) / IDLE:.2f} KiB")
                print(f"memory: {before:,} KiB alone, {held:,} with the idle connections, {peak:,} with all", flush=True)
        print(f"memory when they have gone: {memory_kib(process.pid):,} KiB; CPU in all {cpu_seconds(process.pid):.1f} s")
    report("p50", without, beside_it, lambda said: said["latency_us"]["p50"])
    report("p99", without, beside_it, lambda said: said["latency_us"]["p99"])
    report("p99 of a quarter of a second", without, beside_it, quarter_seconds)


def load(*servers):
    """What the load says of each of these, all at once: an open loop, whose latencies count from when a call was due."""
    command = ["taskset", "-c", LOAD_CORE, str(CALCULATE), "load", "--connections", "16", "--rate", RATE, "--duration", SECONDS]
    command += ["--warmup", "0.5", "--json", "--interval", "0.25"]
    loads = [
        subprocess.Popen([*command, "--server", address, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for address, options in servers
    ]
    said = [json.loads(each.communicate()[0]) for each in loads]
    for each in said:
        if each["failed"] or each["wrong"]:
            sys.exit(f"{each['failed']} calls failed, {each['wrong']} answers were wrong: no figure")
    return said


def report(title, without, beside_it, of):
    """Of each pair of rounds: how many times longer the server's and the echo's calls took beside the crowd."""
    server, echo = [[(of(before[which]), of(now[which])) for before, now in zip(without, beside_it, strict=True)] for which in (0, 1)]
    print(title, flush=True)
    for name, pairs in (("the server", server), ("an echo", echo)):
        alone, now = [statistics.median(side) for side in zip(*pairs, strict=True)]
        print(f"  {name:12} {alone:5.0f} µs without, {now:5.0f} beside it: {spread(now / alone for alone, now in pairs)}")
    shares = (now / alone / (echo_now / echo_alone) for (alone, now), (echo_alone, echo_now) in zip(server, echo, strict=True))
    print(f"  the server's ratio over the echo's: {spread(shares)}", flush=True)


def spread(ratios):
    ratios = sorted(ratios)
    return f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def quarter_seconds(said):
    return statistics.median(each["latency_us"]["p99"] for each in said["intervals"] if each["calls"])


@contextmanager
def idle(address, client):
    command = [str(CALCULATE), "load", "--server", address, "--connections", str(IDLE), "--calls", "1", "--hold", "600", *client]
    holder = subprocess.Popen(["taskset", "-c", LOAD_CORE, *command], stdout=subprocess.PIPE, text=True)
    while holder.stdout.readline().strip() != "holding":
        if holder.poll() is not None:
            sys.exit("the connections could not be held")
    try:
        yield
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()


class Crowd:
    """Three thousand sockets, and when each was first at fault."""

    def __init__(self, address, unix):
        host, _, port = address.rpartition(":")
        self.first_fault, self.cut = {}, {}
        self.slow, self.began = [], time.monotonic()
        for _ in range(OFFENDERS):
            stream = socket.socket(socket.AF_UNIX)
            stream.connect(unix)
            self.join("never read their replies", stream)
            stream.setblocking(True)
            stream.settimeout(20)
            stream.sendall(square() * CALLS_UNREAD)
            self.first_fault[stream] = ("never read their replies", time.monotonic())
        for kind in ("sent half a message", "send a byte a second"):
            for _ in range(OFFENDERS):
                stream = socket.create_connection((host, int(port)))
                self.join(kind, stream)
                stream.send(square()[: 20 if kind.startswith("sent") else 1])
                if kind.startswith("send a"):
                    self.slow.append(stream)
        self.everyone, self.message = list(self.first_fault), square()
        self.trickles_since, self.sent, self.looked = time.monotonic(), 0, 0
        self.gone = threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.thread.start()

    def join(self, kind, stream):
        stream.setblocking(False)
        self.first_fault[stream] = (kind, time.monotonic())

    def go_on(self):
        """Sends what is due, and looks for whom the server has cut: each of them once a second, at moments of their own."""
        # It shares a core with the good client, which must not wait for it: what is measured is the server.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while not self.gone.wait(0.002):
            passed = time.monotonic() - self.trickles_since
            while self.sent < passed * len(self.slow):
                seconds_before, which = divmod(self.sent, len(self.slow))
                try:
                    self.slow[which].send(self.message[1 + seconds_before : 2 + seconds_before])
                except OSError:
                    pass
                self.sent += 1
            while self.looked < passed * len(self.everyone):
                self.look(self.everyone[self.looked % len(self.everyone)])
                self.looked += 1

    def look(self, stream):
        kind, _ = self.first_fault[stream]
        if stream not in self.cut and is_cut(stream, reads=not kind.startswith("never")):
            self.cut[stream] = time.monotonic()

    def see_them_cut(self):
        """Waits for all of them to be cut, and prints after how long they were."""
        give_up = time.monotonic() + 2 * DEADLINE
        while len(self.cut) < len(self.first_fault) and time.monotonic() < give_up:
            time.sleep(0.1)
        for wanted in sorted({kind for kind, _ in self.first_fault.values()}):
            mine = [stream for stream, (kind, _) in self.first_fault.items() if kind == wanted]
            times = [self.cut[stream] - self.first_fault[stream][1] for stream in mine if stream in self.cut]
            spread = f"after {min(times):.1f} to {max(times):.1f} s" if times else ""
            print(f"cut of those who {wanted:24} {len(times):5} of {len(mine)} {spread} (deadline {DEADLINE} s)")

    def must_be_whole(self):
        if self.cut:
            sys.exit(f"{len(self.cut)} of the crowd were cut before the round was over: no figure")

    def close(self):
        self.gone.set()
        self.thread.join()
        for stream in self.everyone:
            stream.close()


def is_cut(stream, reads):
    if not reads:
        # Who never reads learns of it from the kernel.
        poller = select.poll()
        poller.register(stream, select.POLLHUP | select.POLLRDHUP)
        return bool(poller.poll(0))
    try:
        return stream.recv(1024) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def square():
    message = b"\x80\x01\x00\x01\x00\x00\x00\x06Square\x00\x00\x00\x01" + struct.pack("!bhbhd", 12, 1, 4, 1, 9.0) + b"\0\0"
    return struct.pack("!I", len(message)) + message
