"""Drives the benchmarks: servers beside their peers in alternating rounds, medians, ratios, CPU per call."""

import json
import os
import statistics
import subprocess
import sys
import time

from process import CALCULATE, LOAD_CORE, ROOT, cpu_seconds, memory_kib, running

PEERS = ROOT / "benches/peers/target/release"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = os.environ.get("SECONDS_EACH", "3")

SERVERS = {
    "echo (the limit)": [str(PEERS / "echo-epoll")],
    "calculate": [str(CALCULATE), "serve", "--workers", "1"],
    "bare loop, stock protocols": [str(PEERS / "bare-loop")],
    "Volo": [str(PEERS / "volo")],
    "Apache Rust TServer": [str(PEERS / "apache-threaded")],
}


def load(address, depth, expect):
    command = ["taskset", "-c", LOAD_CORE, str(CALCULATE), "load", "--server", address, "--connections", "64"]
    command += ["--depth", str(depth), "--duration", SECONDS, "--warmup", "0.5", "--expect", expect, "--json"]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True).stdout)
    if report["failed"] or report["wrong"]:
        sys.exit(f"{report['failed']} calls failed, {report['wrong']} answers were wrong: no figure")
    return report


def server():
    """Calls/s of one worker against its peers, in alternating rounds."""
    for depth in (1, 16):
        rates = {name: [] for name in SERVERS}
        cpu = {name: [] for name in SERVERS}
        for _ in range(ROUNDS):
            for name, command in SERVERS.items():
                with running(command) as (process, address):
                    before = cpu_seconds(process.pid)
                    report = load(address, depth, "echo" if name.startswith("echo") else "reply")
                    spent = cpu_seconds(process.pid) - before
                calls = report["calls"] * (1 + 0.5 / float(SECONDS))
                rates[name].append(report["calls_per_second"])
                cpu[name].append(spent / calls * 1e6)
        print(f"\nserver, one worker, 64 connections, {depth} in flight each ({ROUNDS} rounds of {SECONDS} s, medians)")
        print(f"{'':28} {'calls/s':>12} {'ratio to echo':>14} {'CPU µs/call':>12}")
        for name, measured in rates.items():
            ratio = statistics.median(ours / limit for ours, limit in zip(measured, rates["echo (the limit)"]))
            print(f"{name:28} {statistics.median(measured):12,.0f} {ratio:14.2f} {statistics.median(cpu[name]):12.2f}")


def converse():
    """Instructions and nanoseconds of a pipelined call, without sockets."""
    print("\na pipelined call, from its bytes to its reply's, without sockets", flush=True)
    command = ["cargo", "bench", "--locked", "--quiet", "--bench", "converse"]
    subprocess.run(command, cwd=ROOT, check=True)


def memory():
    """Resident memory per idle connection, 10,000 of them, each after one call."""
    print("\nresident memory per idle connection, each after one call")
    for name, count in (("calculate", 10_000), ("Volo", 10_000)):
        with running(SERVERS[name]) as (process, address):
            warm = ["load", "--server", address, "--connections", "1", "--calls", "1"]
            subprocess.run([str(CALCULATE), *warm], stdout=subprocess.DEVNULL, check=True)
            before = memory_kib(process.pid)
            hold = ["load", "--server", address, "--connections", str(count), "--calls", "1", "--hold", "2"]
            holder = subprocess.Popen([str(CALCULATE), *hold], stdout=subprocess.PIPE, text=True)
            while holder.stdout.readline().strip() != "holding":
                if holder.poll() is not None:
                    sys.exit("the connections could not be held")
            after = memory_kib(process.pid)
            holder.communicate()
        print(f"{name:28} {(after - before) / count:8.2f} KiB   ({count:,} connections, {before} → {after} KiB)")


def start():
    """From exec to listening."""
    times = []
    for _ in range(max(ROUNDS, 10)):
        began = time.perf_counter()
        with running(SERVERS["calculate"]):
            times.append((time.perf_counter() - began) * 1000)
    print(f"\ncalculate serve, exec to listening: median {statistics.median(times):.1f} ms, most {max(times):.1f} ms")


def python():
    """The Python client beside Apache's and grpc.aio's."""
    with_grpc = ROOT / "target/bench-venv/bin/python"
    if not with_grpc.exists():
        subprocess.run([sys.executable, "-m", "venv", with_grpc.parent.parent], check=True)
        subprocess.run([with_grpc, "-m", "pip", "install", "--quiet", "grpcio", "protobuf"], check=True)
    client = ROOT / "clients/python"
    grpc = ["--grpc-python", with_grpc, "--grpc-server", PEERS / "tonic"]
    for title, command in {
        "Python, blocking, one caller, beside Apache's own client": ["bench/bench_blocking.py"],
        "Python, asyncio, 64 callers, one core, beside grpc.aio (server: tonic)": ["bench/bench_aio.py", *grpc],
    }.items():
        print(f"\n{title}", flush=True)
        subprocess.run([".venv/bin/python", *command], cwd=client, check=True)


def java():
    """The Java client beside libthrift's and grpc-java's."""
    subprocess.run(["mvn", "-B", "-q", "-f", "clients/java/bench/pom.xml", "package"], cwd=ROOT, check=True)
    for title, benchmark in {
        "Java, blocking, one caller, beside libthrift's own client": "blocking",
        "the same, libthrift with a time-out": "blocking-timeout",
        "Java, 256 in flight, one core, beside grpc-java": "async",
    }.items():
        print(f"\n{title}", flush=True)
        jar = "clients/java/bench/target/bench.jar"
        subprocess.run(["taskset", "-c", LOAD_CORE, "java", "-jar", jar, benchmark], cwd=ROOT, check=True)


def hostile():
    """A well-behaved client beside a crowd that means no good, and a server out of descriptors."""
    import descriptors
    import hostile

    hostile.measure()
    descriptors.measure()


def balance():
    """Our clients of several servers beside themselves with a single one."""
    sys.path.insert(0, str(ROOT / "benches/balance"))
    import measure

    measure.balance(ROUNDS)


PARTS = {part.__name__: part for part in (server, converse, memory, start, python, java, hostile, balance)}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or PARTS:
        if wanted not in PARTS:
            sys.exit(f"no benchmark {wanted!r}; there are {', '.join(PARTS)}")
        PARTS[wanted]()
