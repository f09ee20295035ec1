"""What is broken: a real ZooKeeper, real servers, proxies in front of them, and a registry that is tampered with."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kazoo.client import KazooClient

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "target/quick/calculate"
PROXY = ROOT / "target/quick/examples/proxy"
SERVICE = "calculate"
# It says that connections break: they are meant to.
logging.getLogger("kazoo").setLevel(logging.CRITICAL)


class Program:
    """A program that says "… HOST:PORT" on its first line, and may answer a line with a line."""

    def __init__(self, command: Sequence[str | Path], first: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        line = self.process.stdout.readline()
        assert line.startswith(first), f"{command[0]}: {line!r}"
        self.address = line.split()[-1]

    def ask(self, line: str) -> str:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert not answer.startswith("error"), f"{line}: {answer}"
        return answer

    def end(self) -> None:
        """By the end of its input."""
        self.process.stdin.close()
        self.process.wait(60)


class ZooKeeper(Program):
    def __init__(self, nodes: int) -> None:
        super().__init__([ROOT / "tests/zookeeper/start.sh", "--nodes", str(nodes)], "zookeeper on ")


class Proxy(Program):
    """In front of one server: counts, and with a time-out (in ms) spoils replies. See examples/proxy.rs."""

    def __init__(self, upstream: str, timeout_ms: int | None = None) -> None:
        timeout = [] if timeout_ms is None else [str(timeout_ms)]
        super().__init__([PROXY, upstream, *timeout], "listening on ")

    def take(self) -> dict:
        """What it counted since it was asked before."""
        return json.loads(self.ask(""))


class Server:
    """An instance with an id of its own. Its port stays the same over its restarts."""

    def __init__(self, base: str, number: int, *, port: int = 0, weight: int = 100, proxied: bool = False) -> None:
        self.base, self.id = base, f"instance-{number}"
        self.weight, self.port = weight, port or free_port()
        self._flags = ["--listen", f"127.0.0.1:{self.port}", "--workers", "1", "--register", base]
        self._flags += ["--instance-id", self.id, "--weight", str(weight)]
        self._flags += ["--lame-duck", "0.5", "--zk-session-timeout", "2"]
        self.proxy = Proxy(f"127.0.0.1:{self.port}") if proxied else None
        if self.proxy:
            self._flags += ["--advertise", self.proxy.address]
        self.start()

    def start(self) -> None:
        self._program = Program([SERVER, "serve", *self._flags], "listening on ")

    def stop(self) -> None:
        self._program.process.terminate()
        code = self._program.process.wait(60)
        assert code == 0, f"{self.id} ended with {code}"
        self._end_proxy()

    def kill(self) -> None:
        self._program.process.kill()
        self._program.process.wait()

    def signal(self, which: int) -> None:
        self._program.process.send_signal(which)

    def end(self) -> None:
        self.signal(signal.SIGCONT)
        self.kill()
        self._end_proxy()

    def _end_proxy(self) -> None:
        if self.proxy:
            self.proxy.end()
            self.proxy = None


class Fleet:
    """The instances of one service, below a node of their own."""

    def __init__(self, zookeeper: ZooKeeper, count: int, *, proxied: bool = False) -> None:
        self.path = f"/chaos-{os.getpid()}-{time.monotonic_ns()}"
        self.hosts = zookeeper.address
        self.servers: list[Server] = []
        self._proxied = proxied
        self.grow(count)

    @property
    def base(self) -> str:
        return f"zk://{self.hosts}{self.path}"

    @property
    def target(self) -> str:
        return f"{self.base}/{SERVICE}"

    def registered(self) -> list[dict]:
        """What `calculate instances` sees."""
        told = subprocess.run([SERVER, "instances", self.target, "--json"], capture_output=True, text=True)
        return json.loads(told.stdout)["instances"] if told.returncode == 0 else []

    def until_registered(self, seconds: float = 30) -> None:
        """Until all servers are, and no other."""
        until(lambda: len(self.registered()) == len(self.servers), "all are registered", seconds)

    def grow(self, count: int) -> None:
        """Every second of the new ones is to have twice the load, where that is to be counted."""
        while len(self.servers) < count:
            number = len(self.servers)
            weight = 200 if self._proxied and number % 2 else 100
            self.servers.append(Server(self.base, number, weight=weight, proxied=self._proxied))
        self.until_registered()

    def shrink(self, count: int) -> None:
        while len(self.servers) > count:
            self.servers.pop().stop()
        self.until_registered()

    def end(self) -> None:
        for server in self.servers:
            server.end()


class Outsider:
    """Somebody else who may write to the registry."""

    def __init__(self, fleet: Fleet) -> None:
        self._folder = f"{fleet.path}/{SERVICE}"
        self._base = fleet.path
        self._client = KazooClient(fleet.hosts)
        self._client.start()

    def owners(self) -> dict[str, int]:
        """The session that each instance's node belongs to."""

        def look() -> dict[str, int]:
            owners = {}
            for name in self._client.get_children(self._folder) if self._client.exists(self._folder) else []:
                found = self._client.exists(f"{self._folder}/{name}")
                if found:
                    owners[name] = found.ephemeralOwner
            return owners

        return self._client.retry(look)

    def empty_list(self) -> None:
        """Deletes the nodes of all instances."""
        self._delete([f"{self._folder}/{name}" for name in self._client.get_children(self._folder)])

    def delete_folder(self) -> None:
        """Deletes the node of the service with all below it."""
        self._delete_all(self._folder)

    def delete_base(self) -> None:
        """Deletes all: of the service, of its operators, its IDLs."""
        self._delete_all(self._base)

    def _delete_all(self, path: str) -> None:
        # Servers make their nodes anew meanwhile.
        until(lambda: self._delete(self._below(path)), f"{path} can be deleted")

    def _below(self, path: str) -> list[str]:
        """The deepest first."""
        children = [f"{path}/{name}" for name in self._client.get_children(path)]
        return [below for child in children for below in self._below(child)] + [path]

    def _delete(self, paths: list[str]) -> bool:
        """In one step: there is no moment at which some are gone."""
        transaction = self._client.transaction()
        for path in paths:
            transaction.delete(path)
        return all(outcome is True for outcome in transaction.commit())

    def end(self) -> None:
        self._client.stop()
        self._client.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> float:
    """Waits; gives how long that took, in seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"after {seconds} s still not so: {what}"
        time.sleep(0.05)
    return time.monotonic() - began
