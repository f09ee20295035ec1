"""A server as a process of its own: where it runs, and what it takes."""

import os
import re
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALCULATE = ROOT / "target/release/calculate"
TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE, LOAD_CORE = "0", "1"


@contextmanager
def running(command, core=SERVER_CORE):
    """A server on a free port; gives its process and its address."""
    process = subprocess.Popen(
        ["taskset", "-c", core, *command, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        yield process, process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def awake(core=SERVER_CORE):
    """Keeps a core from falling asleep: who spins on it is there only while nobody else wants it.

    A core that has nothing to do takes the longer to wake up the longer it sleeps. A client that takes a microsecond more
    between two calls so waits more than that for the next reply, and one that looks out for its reply pays for the wait.
    """
    spinner = subprocess.Popen(["taskset", "-c", core, "chrt", "--idle", "0", "sh", "-c", "while :; do :; done"])
    try:
        yield
    finally:
        spinner.kill()
        spinner.wait()


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_kib(pid):
    """Resident memory."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))
