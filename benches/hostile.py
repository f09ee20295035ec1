"""A well-behaved client beside a crowd that means no good: its latencies, the server's memory, and the crowd's end.

The crowd: 10,000 idle connections, 1,000 peers that have sent half a message, 1,000 that send a byte a second, 1,000 that
never read their replies. These last come by the unix socket: over TCP the kernel takes megabytes of replies for each of
them before the server sees that nobody reads. All limits and time-outs are the defaults.

An echo server of another process, on the server's core, is measured in the same rounds. No one in the crowd knows it: what its
client sees of the crowd is the machine, not the server.
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
RATE, SECONDS, ROUNDS = "2000", "5", 8
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
        print(f"\na crowd beside an open loop of {RATE} calls/s, {title}: {ROUNDS} rounds, each {SECONDS} s without and with")
        with tempfile.TemporaryDirectory() as folder:
            beside(f"{folder}/crowd.sock", flags, client)


def tls_flags():
    pair = ["--tls-certificate", str(CERTIFICATES / "server.pem"), "--tls-key", str(CERTIFICATES / "server.key")]
    return ["--tls", "allow", *pair]


def beside(unix, flags, client):
    # The first line names the first address.
    command = [str(CALCULATE), "serve", "--workers", "1", *flags, "--listen", "127.0.0.1:0", "--listen", f"unix:{unix}"]
    without, with_them = {"the server": [], "an echo": []}, {"the server": [], "an echo": []}
    with running([str(ECHO)]) as (_, echo), running(command) as (process, address):
        load(address, client)
        for number in range(1, ROUNDS + 1):
            # Who is measured first, when the crowd has just come, is not always the same.
            both = [("the server", address, client), ("an echo", echo, ["--expect", "echo"])][:: 1 if number % 2 else -1]
            for name, server, options in both:
                without[name].append(load(server, options))
            before = memory_kib(process.pid)
            with idle(address, client):
                held = memory_kib(process.pid)
                crowd = Crowd(address, unix)
                peak = memory_kib(process.pid)
                for name, server, options in both:
                    with_them[name].append(load(server, options))
                crowd.must_be_whole()
                if number == ROUNDS:
                    crowd.see_them_cut()
                crowd.close()
            if number == 1:
                # Later rounds find what the first has left: their difference is no measure.
                print(f"memory per idle connection, {IDLE:,} of them after one call: {(held - before) / IDLE:.2f} KiB")
                print(f"memory: {before:,} KiB alone, {held:,} with the idle connections, {peak:,} with all", flush=True)
        print(f"memory when they have gone: {memory_kib(process.pid):,} KiB; CPU in all {cpu_seconds(process.pid):.1f} s")
    for name, rounds in without.items():
        report(f"{name}, without a crowd", rounds)
        report(f"{name}, beside it", with_them[name], rounds)


def load(address, client):
    command = ["taskset", "-c", LOAD_CORE, str(CALCULATE), "load", "--server", address, "--connections", "16", *client]
    command += ["--rate", RATE, "--duration", SECONDS, "--warmup", "0.5", "--json", "--interval", "0.25"]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True).stdout)
    if said["failed"] or said["wrong"]:
        sys.exit(f"{said['failed']} calls failed, {said['wrong']} answers were wrong: no figure")
    return said


def report(title, rounds, alone=None):
    """The p99 of all calls of a round, and of those of a quarter of a second.

    This machine's own pauses, a few ms each and about one a second, are in the first; in the second they are where they belong.
    """
    whole = [each["latency_us"]["p99"] for each in rounds]
    quarters = [quarter_seconds(each) for each in rounds]
    line = f"p50 {statistics.median(each['latency_us']['p50'] for each in rounds):5.0f} µs"
    line += f"  p99 of a quarter of a second {statistics.median(quarters):5.0f} µs{ratio(quarters, alone, quarter_seconds)}"
    line += f"  of a round {statistics.median(whole):5.0f} µs ({min(whole):.0f} to {max(whole):.0f})"
    line += ratio(whole, alone, lambda each: each["latency_us"]["p99"])
    print(f"{title:28} {line}", flush=True)


def quarter_seconds(one):
    return statistics.median(each["latency_us"]["p99"] for each in one["intervals"] if each["calls"])


def ratio(measured, alone, of):
    if not alone:
        return ""
    ratios = sorted(with_them / of(without) for with_them, without in zip(measured, alone))
    return f", ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


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
