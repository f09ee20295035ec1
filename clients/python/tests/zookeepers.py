"""A real ZooKeeper, in a process of its own: tests/zookeeper. CALCULATE_SKIP_ZOOKEEPER=1 leaves its tests out."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import file
from fakes import PATIENCE_S
from kazoo.client import KazooClient

_START = Path(__file__).resolve().parents[3] / "tests" / "zookeeper" / "start.sh"
_FIRST = "zookeeper on "
SERVICE = "/services/calculate"

needs_zookeeper = pytest.mark.skipif(
    os.environ.get("CALCULATE_SKIP_ZOOKEEPER") == "1", reason="CALCULATE_SKIP_ZOOKEEPER=1 is set"
)


class ZooKeeper:
    """An ensemble. Its commands are those of start.sh."""

    def __init__(self, process: subprocess.Popen[str], address: str, secure: str | None) -> None:
        self._process = process
        self.address = address
        # Where it speaks TLS, if it does.
        self.secure = secure

    def command(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer
        assert not answer.startswith("error"), answer
        return answer

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def target(self, query: str = "") -> str:
        return f"zk://{self.address}{SERVICE}{query}"

    def secure_target(self, host: str = "localhost") -> str:
        """The target of a client that speaks TLS to ZooKeeper."""
        assert self.secure is not None
        return f"zk://{host}:{self.secure.rpartition(':')[2]}{SERVICE}"

    @contextlib.contextmanager
    def client(self) -> Iterator[Registrar]:
        """Somebody who registers instances."""
        client = KazooClient(self.address, timeout=4.0)
        client.start(PATIENCE_S)
        try:
            client.ensure_path(SERVICE)
            yield Registrar(client)
        finally:
            client.stop()
            client.close()


class Registrar:
    """Writes the nodes that servers write."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def register(self, address: str, id_: str | None = None, **fields: Any) -> str:
        """Registers a server, or overwrites its node; ``payload`` is among the fields."""
        host, _, port = address.rpartition(":")
        id_ = id_ or address.replace(":", "-")
        node = {"name": "calculate", "id": id_, "address": host, "port": int(port), "enabled": True, **fields}
        self.write(id_, json.dumps(node).encode())
        return id_

    def write(self, id_: str, content: bytes) -> None:
        path = f"{SERVICE}/{id_}"
        if self.client.exists(path):
            self.client.set(path, content)
        else:
            self.client.create(path, content, ephemeral=True)

    def remove(self, id_: str) -> None:
        self.client.delete(f"{SERVICE}/{id_}")


def with_tls(certificate: str = "server", client_auth: str = "none") -> contextlib.AbstractContextManager[ZooKeeper]:
    """One that also speaks TLS, with a certificate of target/certs."""
    shown = ("--certificate", file(f"{certificate}.pem"), "--key", file(f"{certificate}.key"))
    return zookeeper(*shown, "--client-ca", file("ca.pem"), "--client-auth", client_auth)


@contextlib.contextmanager
def zookeeper(*arguments: str) -> Iterator[ZooKeeper]:
    """Runs start.sh with these arguments."""
    process = subprocess.Popen([_START, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith(_FIRST), f"its first line is {line!r}"
        secure = process.stdout.readline() if "--certificate" in arguments else None
        yield ZooKeeper(
            process, line.removeprefix(_FIRST).strip(), secure and secure.removeprefix("secure on ").strip()
        )
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.stdin.close()
            process.stdout.close()
