"""Unix sockets: the same calls, and what is said when there is no server behind the file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from certificates import server_context, trusting
from fakes import PATIENCE_S, FakeServer, Peer, answer, echo

from calculate import ConnectError, DeadlineExceeded
from calculate._target import UnixTarget, parse_target

pytestmark = [
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs unix sockets"),
    pytest.mark.usefixtures("made_certificates"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.sock"


def test_calls(caller: Any, path: Path) -> None:
    with FakeServer(echo, path=path) as server, caller.connect(f"unix:{path}") as client:
        assert [client.square(float(n)) for n in range(3)] == [0.0, 1.0, 2.0]
        assert server.connections == 1


def test_a_path_may_be_relative_and_in_any_script(caller: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with FakeServer(echo, path=Path("корень.sock")), caller.connect("unix:корень.sock") as client:
        assert client.square(1.0) == 1.0


def test_a_connection_closed_while_idle_is_replaced_unseen(caller: Any, path: Path) -> None:
    def once(peer: Peer) -> None:
        peer.send(answer(peer.read_call()))

    with FakeServer(once, path=path) as server, caller.connect(f"unix:{path}") as client:
        for value in range(5):
            assert client.square(float(value)) == float(value)
            server._threads[value + 1].join(PATIENCE_S)


def test_a_missing_file_is_told(caller: Any, path: Path) -> None:
    with pytest.raises(ConnectError) as caught:
        caller.connect(f"unix:{path}")
    assert str(caught.value) == (
        f"cannot connect to unix:{path} (no such file or directory); is it running, and is this its address?"
    )


def test_a_file_whose_server_has_gone_is_told(caller: Any, path: Path) -> None:
    with FakeServer(echo, path=path):
        pass
    assert path.exists()
    with pytest.raises(ConnectError, match=r"\(connection refused\); is it running"):
        caller.connect(f"unix:{path}")


def test_a_file_that_is_no_socket_is_told(caller: Any, path: Path) -> None:
    path.write_text("")
    with pytest.raises(ConnectError, match=f"^cannot connect to unix:{path} "):
        caller.connect(f"unix:{path}")


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may connect to everything")
def test_a_file_that_may_not_be_used_is_told(caller: Any, path: Path) -> None:
    with FakeServer(echo, path=path):
        path.chmod(0)
        with pytest.raises(ConnectError, match="permission denied"):
            caller.connect(f"unix:{path}")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/" + "x" * 107, "the path takes 108 bytes, a unix socket's at most "),
        ("/" + "é" * 60, "the path takes 121 bytes"),
        ("", "the path is missing"),
        ("/a\0b", "no path has a NUL in it"),
    ],
)
def test_what_can_be_no_path_is_refused_with_the_form(caller: Any, path: str, what: str) -> None:
    with pytest.raises(ValueError, match=what) as caught:
        caller.connect(f"unix:{path}")
    assert "write HOST:PORT, such as 127.0.0.1:9090, [IPv6]:PORT, such as [::1]:9090, or unix:/PATH" in str(
        caught.value
    )


def test_the_longest_path_is_used(caller: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the temporary folder's own name takes no room
    length = 107 if os.uname().sysname == "Linux" else 103
    with FakeServer(echo, path=Path("x" * length)) as server, caller.connect(server.address) as client:
        assert client.square(1.0) == 1.0
    with pytest.raises(ValueError, match=f"takes {length + 1} bytes"):
        caller.connect("unix:" + "x" * (length + 1))


def test_a_target_is_read_and_written_alike() -> None:
    assert parse_target("unix:/run/calculate.sock") == UnixTarget("/run/calculate.sock")
    assert str(UnixTarget("/run/calculate.sock")) == "unix:/run/calculate.sock"
    assert str(UnixTarget("/run/a\nb")) == r"unix:/run/a\nb"


@contextlib.contextmanager
def full_backlog(path: Path) -> Iterator[tuple[socket.socket, list[socket.socket]]]:
    """A server that has not accepted yet, and the connections that fill its queue."""
    fillers: list[socket.socket] = []
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(0)
        while True:
            filler = stack.enter_context(socket.socket(socket.AF_UNIX))
            filler.setblocking(False)
            try:
                filler.connect(str(path))
            except BlockingIOError:
                break
            fillers.append(filler)
        yield listener, fillers


def test_connecting_to_a_busy_server_is_limited_by_the_time_out(caller: Any, path: Path) -> None:
    with full_backlog(path):
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=f"^no connection to unix:{path} within 0.2 s"):
            caller.connect(f"unix:{path}", timeout=0.2)
        assert time.monotonic() - started < 2


def test_a_busy_server_is_waited_for(caller: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, served = threading.Event(), threading.Event()
    sleep, aio_sleep = time.sleep, asyncio.sleep

    def seen_sleep(seconds: float) -> None:
        waits.set()
        sleep(seconds)

    def seen_aio_sleep(seconds: float) -> Any:
        waits.set()
        return aio_sleep(seconds)

    def serve() -> None:
        # The fillers come first; the client's connection is the first that brings a call.
        assert waits.wait(PATIENCE_S)
        for filler in fillers:
            filler.close()
        listener.settimeout(PATIENCE_S)
        while not served.is_set():
            sock, _ = listener.accept()
            peer = Peer(sock)
            with sock, contextlib.suppress(EOFError):
                while True:
                    peer.send(answer(peer.read_call()))
                    served.set()

    monkeypatch.setattr(time, "sleep", seen_sleep)
    monkeypatch.setattr(asyncio, "sleep", seen_aio_sleep)
    with full_backlog(path) as (listener, fillers), ThreadPoolExecutor(1) as pool:
        serving = pool.submit(serve)
        with caller.connect(f"unix:{path}", timeout=PATIENCE_S) as client:
            assert client.square(1.0) == 1.0
        serving.result(PATIENCE_S)


def test_tls_over_a_unix_socket_needs_the_servers_name(caller: Any, path: Path) -> None:
    with FakeServer(echo, path=path, context=server_context()) as server:
        with caller.connect(server.address, tls=trusting(server_name="localhost")) as client:
            assert client.square(1.0) == 1.0
        with pytest.raises(ConnectError, match=r"is for localhost, .*, not for elsewhere.test"):
            caller.connect(server.address, tls=trusting(server_name="elsewhere.test"))
        with pytest.raises(ValueError, match=f"tls: {server.address} has no host .*; give the server name"):
            caller.connect(server.address, tls=trusting())
