"""What a client of several servers costs beside one of a single server, in each language: `benches/run.sh balance`."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

from kazoo.client import KazooClient
from process import CALCULATE, LOAD_CORE, ROOT, awake, running

CLASSES = ROOT / "target/bench-balance"
JAR = ROOT / "clients/java/target/calculate-client.jar"
CLIENTS = {
    "Rust": [ROOT / "target/release/examples/balance_client"],
    "Python": [ROOT / "clients/python/.venv/bin/python", ROOT / "benches/balance/client.py"],
    "Java": ["java", "-Xmx1g", "-cp", f"{JAR}:{CLASSES}", "Client"],
}
CALLS = {"Rust": 40_000, "Python": 5_000, "Java": 100_000}
INSTANCES = 1000
CHANGES = 20


def balance(rounds):
    """CPU of a call, memory of a list, and how long a change of it takes."""
    build()
    with ExitStack() as stack:
        command = [str(CALCULATE), "serve", "--workers", "1"]
        # One process at three addresses: three that take turns on their core answer later, for which a client that looks out
        # for its answer pays, whatever its balancing costs.
        addresses = [f"127.0.0.1:{port}" for port in free_ports(3)]
        listen = [argument for address in addresses for argument in ("--listen", address)]
        stack.enter_context(running([*command, *listen]))
        print(f"\nclient of so many instances beside one of a single server, one core ({rounds} rounds, medians)")
        print(f"{'':8} {'':16} {'direct: CPU µs/call':>20} {'balanced':>10} {'ratio':>6}")
        for language in CLIENTS:
            measure_cpu(language, addresses, rounds)
        with registry(addresses[0]) as (zookeeper, target):
            print(f"\nclient of {INSTANCES:,} instances: KiB a client; more when it is connected to all")
            for language in CLIENTS:
                told = json.loads(run(language, "memory", target, "5"))
                print(f"{language:8} {told['known_kib']:10,.0f} {told['connected_kib']:10,.0f}")
            print(f"\na new one among {INSTANCES:,} instances, from its node's creation until it may be called: median, most")
            for language in CLIENTS:
                took = measure_changes(language, zookeeper, target, addresses[1])
                print(f"{language:8} {statistics.median(took):7.1f} ms {max(took):7.1f} ms")


def free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def build():
    CLASSES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-nowarn", "-d", CLASSES, "-cp", JAR, ROOT / "benches/balance/Client.java"], check=True)
    cargo = ["cargo", "build", "--release", "--locked", "--quiet", "--example", "balance_client"]
    subprocess.run(cargo, cwd=ROOT, check=True)
    subprocess.run([ROOT / "tests/zookeeper/start.sh", "--build"], check=True)


def run(language, *arguments, core=None):
    pinned = ["taskset", "-c", core] if core else []
    command = [*pinned, *CLIENTS[language], *arguments]
    environment = {**os.environ, "XDG_CACHE_HOME": tempfile.mkdtemp(prefix="bench-")}
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment).stdout


def measure_cpu(language, addresses, rounds):
    first, all_of_them = addresses[0], ",".join(addresses)
    with awake():
        measure_cpu_of(language, "lone, of 3", "1", first, all_of_them, rounds)
    for how, callers, balanced in (
        ("lone, idle core", "1", all_of_them),
        # Of one instance, as many calls leave in a write as without balancing: its own cost is what is left.
        ("64 at once, of 1", "64", f"dns://{first}"),
        ("64 at once, of 3", "64", all_of_them),
    ):
        measure_cpu_of(language, how, callers, first, balanced, rounds)


def measure_cpu_of(language, how, callers, one, several, rounds):
    arguments = [callers, one, several, str(rounds), str(CALLS[language])]
    spent = json.loads(run(language, "cpu", *arguments, core=LOAD_CORE))
    ratio = statistics.median(b / d for b, d in zip(spent["balanced"], spent["direct"]))
    direct, balanced = statistics.median(spent["direct"]), statistics.median(spent["balanced"])
    print(f"{language:8} {how:16} {direct:20.2f} {balanced:10.2f} {ratio:6.2f}", flush=True)


class registry:
    """A ZooKeeper with so many instances of a service, all of them one server."""

    def __init__(self, address):
        self._address = address

    def __enter__(self):
        command = [ROOT / "tests/zookeeper/start.sh"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        hosts = self._process.stdout.readline().split()[-1]
        self._client = KazooClient(hosts)
        self._client.start()
        self._client.ensure_path("/bench/calculate")
        for number in range(INSTANCES):
            self.add(f"instance-{number:04}", self._address)
        return self, f"zk://{hosts}/bench/calculate"

    def add(self, name, address):
        host, port = address.rsplit(":", 1)
        payload = {"version": "1", "group": "default", "weight": "100", "zone": "", "encodings": "framed,unframed"}
        node = {"name": "calculate", "id": name, "address": host, "port": int(port), "payload": payload, "enabled": True}
        self._client.create(f"/bench/calculate/{name}", json.dumps(node).encode(), ephemeral=True)

    def remove(self, name):
        self._client.delete(f"/bench/calculate/{name}")

    def __exit__(self, *_):
        self._client.stop()
        self._process.stdin.close()
        self._process.wait(30)


def measure_changes(language, zookeeper, target, address):
    """In ms, of a client whose list is there."""
    client = subprocess.Popen(
        [*CLIENTS[language], "changes", target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    while client.stdout.readline() != "ready\n":
        if client.poll() is not None:
            sys.exit(f"{language}: the client has ended")
    took = []
    for number in range(CHANGES):
        name = f"new-{language}-{number}"
        began = time.time_ns()
        zookeeper.add(name, address)
        while not (line := client.stdout.readline()).startswith(name + " "):
            if not line:
                sys.exit(f"{language}: the client has ended")
        took.append((int(line.split()[1]) - began) / 1e6)
        time.sleep(0.2)
    client.stdin.close()
    client.wait(30)
    for number in range(CHANGES):
        zookeeper.remove(f"new-{language}-{number}")
    return took
