"""Good and hostile traffic together, for a long time: no answer is wrong, no good call fails, nothing grows.

    make soak                 ten minutes
    make soak SECONDS=180

One server, TCP and a unix socket, encrypted and not. Good: the load tool in every encoding, and the programs of the three
clients. Hostile: attacks.py. Every ten seconds a line, at the end a verdict; exit code 1 when it is bad.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from attacks import ATTACKS, Place

ROOT = Path(__file__).resolve().parents[2]
CALCULATE = ROOT / "target/release/calculate"
CERTIFICATES = ROOT / "target/certs"
JAR = ROOT / "clients/java/target/calculate-client.jar"
PYTHON = ROOT / "clients/python/client.py"
CHUNK = 10  # seconds that one load lasts
ATTACKERS = 16
GROWN_KIB = 24 * 1024  # what may come on top while it runs: allocators keep some of what peaks take


class Server:
    """The server, and what it takes."""

    def __init__(self, folder: Path):
        self.unix, self.list = str(folder / "soak.sock"), folder / "access"
        self.list.write_text("allow * *\n")
        command = [str(CALCULATE), "serve", "--listen", "127.0.0.1:0", "--listen", f"unix:{self.unix}"]
        command += ["--tls", "allow", "--tls-certificate", str(CERTIFICATES / "server.pem")]
        command += ["--tls-key", str(CERTIFICATES / "server.key"), "--access", str(self.list)]
        command += ["--proxy-protocol", "127.0.0.2/32", "--tls-handshake-timeout", "2", "--message-timeout", "2"]
        command += ["--write-timeout", "2", "--max-buffered-bytes", "67108864"]
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.address = self.process.stdout.readline().removeprefix("listening on ").strip()
        host, _, port = self.address.rpartition(":")
        self.place = Place(host, int(port), self.unix)

    def memory_kib(self) -> int:
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text()).group(1))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def log_lines(self) -> int:
        return Path(self.log.name).read_text(errors="replace").count("\n")

    def lives(self) -> bool:
        return self.process.poll() is None


class Traffic:
    """What the threads count."""

    def __init__(self, seconds: float):
        self.ends = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.calls, self.faults, self.attacks = Counter(), [], Counter()
        self.expected: list[str] = []

    def goes_on(self) -> bool:
        return time.monotonic() < self.ends and len(self.faults) < 10

    def answered(self, who: str, count: int) -> None:
        with self.lock:
            self.calls[who] += count

    def fault(self, text: str) -> None:
        with self.lock:
            self.faults.append(text)


def load(server: Server, traffic: Traffic, name: str, arguments: list[str]) -> None:
    """An open loop, again and again with new connections."""
    while traffic.goes_on():
        seconds = max(1.0, min(CHUNK, traffic.ends - time.monotonic()))
        command = [str(CALCULATE), "load", "--connections", "4", "--rate", "150", "--warmup", "0.1", "--json"]
        ended = subprocess.run([*command, "--duration", f"{seconds:.1f}", *arguments], capture_output=True, text=True)
        try:
            report = json.loads(ended.stdout)
        except ValueError:
            traffic.fault(f"{name}: {ended.stderr.strip()[:300]}")
            continue
        traffic.answered(name, report["calls"])
        if report["failed"] or report["wrong"]:
            traffic.fault(f"{name}: {report['failed']} failed, {report['wrong']} wrong: {ended.stderr.strip()[:300]}")


def program(server: Server, traffic: Traffic, name: str, command: list[str]) -> None:
    """A client's own program, started anew for each call."""
    rng = random.Random(name)
    targets = [
        ["--server", server.address],
        ["--server", f"unix:{server.unix}"],
        ["--server", server.address, "--tls-ca", str(CERTIFICATES / "ca.pem"), "--tls-server-name", "localhost"],
    ]
    while traffic.goes_on():
        root = rng.randrange(1000)
        arguments = [*command, *rng.choice(targets), "--timeout", "20", str(root * root)]
        ended = subprocess.run(arguments, capture_output=True, text=True)
        if ended.returncode == 0 and ended.stdout.strip() == f"{root}.0":
            traffic.answered(name, 1)
        else:
            traffic.fault(f"{name}: {root * root} gave {ended.stdout.strip()!r} {ended.stderr.strip()[:300]!r}")
        time.sleep(2)


def attack(server: Server, traffic: Traffic, seed: int) -> None:
    rng = random.Random(seed)
    while traffic.goes_on():
        chosen = rng.choice(ATTACKS)
        try:
            chosen(server.place, rng)
        except OSError:
            pass  # the server has the last word
        with traffic.lock:
            traffic.attacks[chosen.__name__] += 1


def reload(server: Server, traffic: Traffic) -> None:
    """New files while all that goes on."""
    count = 0
    while traffic.goes_on():
        time.sleep(1)
        count += 1
        if count % 15 == 0:
            new = server.list.with_suffix(".new")
            new.write_text(f"# {count}\nallow * *\ndeny addr:192.0.2.0/24 *\n")
            new.rename(server.list)
            server.process.send_signal(signal.SIGHUP)


def start(server: Server, traffic: Traffic) -> list[threading.Thread]:
    """Whoever is good, and all others."""
    ca = ["--tls-ca", str(CERTIFICATES / "ca.pem"), "--tls-server-name", "localhost"]
    tcp, unix = ["--server", server.address], ["--server", f"unix:{server.unix}"]
    loads = {
        "framed binary": [*tcp],
        "framed compact, TLS": [*tcp, *ca, "--protocol", "compact"],
        "unframed binary, unix": [*unix, "--framing", "unframed"],
        "unframed compact": [*tcp, "--framing", "unframed", "--protocol", "compact"],
        "framed binary, TLS, unix": [*unix, *ca],
    }
    programs = {
        "Rust client": [str(CALCULATE), "call"],
        "Python client": [sys.executable, str(PYTHON)],
        "Java client": ["java", "-XX:TieredStopAtLevel=1", "-jar", str(JAR)],
    }
    jobs = [(load, name, arguments) for name, arguments in loads.items()]
    jobs += [(program, name, command) for name, command in programs.items()]
    traffic.expected = [*loads, *programs]
    threads = [threading.Thread(target=job, args=(server, traffic, *rest)) for job, *rest in jobs]
    threads += [threading.Thread(target=attack, args=(server, traffic, seed)) for seed in range(ATTACKERS)]
    threads.append(threading.Thread(target=reload, args=(server, traffic)))
    for thread in threads:
        thread.start()
    return threads


def watch(server: Server, traffic: Traffic) -> list[tuple[float, int, int]]:
    """Prints a line every ten seconds; gives time, memory and descriptors of every second."""
    began, samples = time.monotonic(), []
    while traffic.goes_on() and server.lives():
        time.sleep(1)
        if not server.lives():
            break
        at = time.monotonic() - began
        samples.append((at, server.memory_kib(), server.descriptors()))
        if len(samples) % 10 == 0:
            calls, attacks = sum(traffic.calls.values()), sum(traffic.attacks.values())
            print(
                f"{at:5.0f} s  {calls:8} good calls, {len(traffic.faults)} faults  {attacks:6} attacks  "
                f"{samples[-1][1] / 1024:6.1f} MiB  {samples[-1][2]:5} descriptors  {server.log_lines():5} log lines",
                flush=True,
            )
    return samples


def verdict(server: Server, traffic: Traffic, samples: list[tuple[float, int, int]], before: tuple[int, int]) -> list[str]:
    """What is not as it should be."""
    faults = list(traffic.faults)
    if not server.lives():
        return [*faults, f"the server ended with {server.process.returncode}"]
    # The second quarter against the last: the first fills what is kept on purpose. The least of each: some attacks fill
    # what they may, and go again; what leaks does not.
    quarter = max(1, len(samples) // 4)
    early = min(kib for _, kib, _ in samples[quarter : 2 * quarter])
    late = min(kib for _, kib, _ in samples[-quarter:])
    print(f"memory: {before[0]} KiB at the start, {early} in the second quarter, {late} in the last (the least of each)")
    if late > early + GROWN_KIB:
        faults.append(f"memory grew by {(late - early) / 1024:.1f} MiB")
    silent = [name for name in traffic.expected if not traffic.calls[name]]
    faults += [f"{name}: not one call was answered" for name in silent]
    deadline = time.monotonic() + 15
    while server.descriptors() > before[1] and time.monotonic() < deadline:
        time.sleep(0.1)
    print(f"descriptors: {before[1]} at the start, {server.descriptors()} when all have gone")
    if server.descriptors() > before[1]:
        faults.append(f"{server.descriptors() - before[1]} descriptors were not given back")
    lines, most = server.log_lines(), 14 * len(samples) + 100
    if lines > most:
        faults.append(f"{lines} log lines in {len(samples)} s, more than one a second and a reason")
    server.process.send_signal(signal.SIGTERM)
    if server.process.wait(35) != 0:
        faults.append(f"the drain ended with {server.process.returncode}")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="calculate-soak-") as folder:
        server = Server(Path(folder))
        # Its first answer shows that all its threads have what they need.
        subprocess.run([str(CALCULATE), "call", "--server", server.address, "9"], stdout=subprocess.DEVNULL, check=True)
        before = server.memory_kib(), server.descriptors()
        traffic = Traffic(seconds)
        try:
            threads = start(server, traffic)
            samples = watch(server, traffic)
            for thread in threads:
                thread.join()
            for name, count in sorted(traffic.calls.items()):
                print(f"{count:9} {name}")
            print(", ".join(f"{count} {name}" for name, count in sorted(traffic.attacks.items())))
            faults = verdict(server, traffic, samples, before)
        finally:
            server.process.kill()
    for fault in faults:
        print(fault)
    print("good: no answer was wrong, no call failed, nothing grew" if not faults else "BAD")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
