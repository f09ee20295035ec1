"""The program, as a user runs it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import PATIENCE_S, FakeServer, Peer, answer, domain_error, exception, silent

STARTER = Path(__file__).resolve().parents[1] / "client.py"


def service(peer: Peer) -> None:
    """Square and Cal as they ought to be."""
    while True:
        call = peer.read_call()
        if call.name == "Cal":
            peer.send(answer(call, call.value * call.value))
        elif call.value < 0:
            peer.send(domain_error(call, f"Square is not defined for {call.value:g}"))
        else:
            peer.send(answer(call, call.value**0.5))


@pytest.fixture
def address() -> Iterator[str]:
    with FakeServer(service) as server:
        yield server.address


def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
    """The exit code, and what was printed to stdout and to stderr."""
    command = [sys.executable, str(STARTER), *arguments]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=PATIENCE_S)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_number_gives_its_square_root(address: str) -> None:
    assert run("--server", address, "9") == (0, "3.0\n", "")


def test_the_method_can_be_chosen(address: str) -> None:
    assert run("--server", address, "--method", "cal", "3") == (0, "9.0\n", "")


def test_several_numbers_give_a_line_each(address: str) -> None:
    assert run("9", "16", "2.25", "--server", address) == (0, "3.0\n4.0\n1.5\n", "")


@pytest.mark.parametrize(
    ("number", "printed"), [("inf", "inf"), ("1e400", "inf"), ("nan", "nan"), ("-0", "-0.0"), ("-0.0", "-0.0")]
)
def test_every_kind_of_number_is_understood(address: str, number: str, printed: str) -> None:
    if number.startswith("-"):
        assert run("--server", address, "--method", "cal", number) == (0, "0.0\n", "")
    else:
        assert run("--server", address, number) == (0, f"{printed}\n", "")


@pytest.mark.parametrize("number", ["-4", "-inf", "-1e9", "-.5"])
def test_a_number_outside_the_domain_is_one_line_and_exit_code_1(address: str, number: str) -> None:
    code, out, err = run("--server", address, number)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "Square is not defined for" in err


def test_results_before_a_failure_are_printed(address: str) -> None:
    code, out, err = run("--server", address, "4", "-4", "9")
    assert (code, out, err.count("\n")) == (1, "2.0\n", 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["x"],
        ["9", "--server", "nowhere"],
        ["9", "--timeout", "0"],
        ["9", "--timeout", "-1"],
        ["9", "--timeout", "soon"],
        ["9", "--method", "Square"],
        ["9", "--protocol", "json"],
        ["9", "--framing", "none"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("calculate-client: ")


def test_an_unreachable_server_is_one_line_and_exit_code_1() -> None:
    code, out, err = run("9", "--server", "127.0.0.1:1")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "cannot connect to 127.0.0.1:1" in err


def test_a_time_out_is_one_line_and_exit_code_1() -> None:
    with FakeServer(silent) as server:
        code, out, err = run("9", "--server", server.address, "--timeout", "0.1")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "within 0.1 s" in err


def test_an_overloaded_server_is_one_line_and_exit_code_1() -> None:
    with FakeServer(lambda peer: peer.send(exception(peer.read_call(), 11, "full"))) as server:
        code, out, err = run("9", "--server", server.address)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "try again later" in err


@pytest.mark.parametrize("end", ["", "stop\n", "\n"])
def test_without_numbers_it_asks_until_something_else_is_typed(address: str, end: str) -> None:
    code, out, err = run("--server", address, typed=f"9\n-4\n16\n{end}")
    assert (code, out) == (0, "3.0\n4.0\n")
    assert err.count("\n") == 1
    assert "not defined for -4" in err


def test_a_terminal_is_prompted(address: str) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(STARTER), "--server", address], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, b"9\nq\n")
    assert process.wait(PATIENCE_S) == 0
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "number: " in shown
    assert "3.0" in shown


def test_an_interrupt_exits_with_130_and_no_trace() -> None:
    def script(peer: Peer) -> None:
        peer.read_call()
        process.send_signal(signal.SIGINT)
        peer.wait_closed()

    with FakeServer(script) as server:
        process = subprocess.Popen(
            [sys.executable, str(STARTER), "--server", server.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = process.communicate("9\n", PATIENCE_S)
    assert (process.returncode, out, err) == (130, "", "")


def test_help_says_what_square_is() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert "square ROOT" in out


def test_a_python_without_thrift_is_told_what_to_do(tmp_path: Path) -> None:
    starter = tmp_path / "client.py"
    starter.write_text(STARTER.read_text())
    done = subprocess.run([sys.executable, "-S", str(starter), "9"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "pip install" in done.stderr


def test_several_servers_are_called(address: str) -> None:
    with FakeServer(service) as other:
        servers = f"{address},{other.address}"
        assert run("--server", servers, "--balance", "round_robin", "9", "16", "25") == (0, "3.0\n4.0\n5.0\n", "")
        assert other.connections == 1
        assert run("--server", servers, "--balance", "hash", "--key", "k", "--attempts", "1", "9") == (0, "3.0\n", "")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--server", "zk://127.0.0.1:2181/calculate"], "the path must be /BASE/SERVICE"),
        (["--balance", "fair"], "invalid choice: 'fair'"),
        (["--attempts", "4"], "attempts is 4; use a whole number from 1 to 3"),
        (["--zk-auth", "alice"], "zk_auth has no colon; write USER:PASSWORD"),
    ],
)
def test_wrong_use_of_several_servers_is_told(arguments: list[str], what: str) -> None:
    code, out, err = run(*arguments, "9")
    assert (code, out) == (2, "")
    assert what in err
    assert err.count("\n") == 1
