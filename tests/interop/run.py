#!/usr/bin/env python3
"""Lets every client in clients.py call the conformance server in every encoding, and prints the matrix.

    tests/interop/run.py [--all] [CLIENT …]     all clients when none is named; --all: none may be unavailable

The cases are the rows of idl/vectors/conformance.tsv. What a foreign runtime cannot do is in cannot.tsv, each line with
its reason: a client, an encoding, a case ("-": the runtime does not have the encoding), all of them patterns. Exit code 1
when something else fails, when a case is missing, when a client needed more connections than one (and one after each
failure), and when what a line of cannot.tsv says cannot be done was done: then the line must go.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from clients import CLIENTS, HERE, ROOT, TARGET, Client, Unavailable
from relay import Relay

VECTORS = ROOT / "idl" / "vectors" / "conformance.tsv"
ENCODINGS = [
    "framed-binary",
    "unframed-binary",
    "framed-compact",
    "unframed-compact",
    "framed-binary-multiplexed",
    "framed-nonstrict",
    "unframed-nonstrict",
    "theader-binary",
    "theader-compact",
    "theader-binary-zlib",
    "ttheader-binary",
    "ttheader-framed-binary",
]
TLS = "tls:"
CERTS = ROOT / "target" / "certs"
SERVER = ROOT / "target" / "quick" / "examples" / "conformance"
NO_SUCH_ENCODING = 3
TIMEOUT_S = 120


@dataclass
class Cannot:
    """A line of cannot.tsv."""

    client: str
    encoding: str
    case: str
    reason: str
    used: bool = False

    def covers(self, client: str, encoding: str, case: str) -> bool:
        return all(
            fnmatch.fnmatchcase(*pair)
            for pair in ((client, self.client), (encoding, self.encoding), (case, self.case))
        )


@dataclass
class Cell:
    """One client in one encoding."""

    client: str
    encoding: str
    passed: int = 0
    cannot: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    exists: bool = True

    def __str__(self) -> str:
        if self.faults:
            return f"FAIL {len(self.faults)}"
        if not self.exists:
            return "n.a."
        return f"{self.passed} pass" + (f" -{len(self.cannot)}" if self.cannot else "")


def call_both(
    client: Client, command: list[str], encoding: str, server: str, cases: list[str], known: list[Cannot]
) -> list[Cell]:
    """Runs one client in one encoding, plain and over TLS."""
    plain = call(client, command, encoding, server, cases, known)
    if not plain.exists:
        return [plain, Cell(client.name, TLS + encoding, exists=False)]
    return [plain, call(client, command, TLS + encoding, server, cases, known)]


def call(client: Client, command: list[str], encoding: str, server: str, cases: list[str], known: list[Cannot]) -> Cell:
    """Runs one client in one encoding."""
    cell = Cell(client.name, encoding)
    relay = Relay(server)
    arguments = ["--server", relay.address, "--encoding", encoding.removeprefix(TLS), "--vectors", str(VECTORS)]
    arguments += ["--runtime", client.runtime] if client.runtime else []
    arguments += ["--tls-ca", str(CERTS / "ca.pem")] if encoding.startswith(TLS) else []
    log = TARGET / "logs" / f"{client.name}-{encoding}.log"
    try:
        with log.open("wb") as errors:
            ended = subprocess.run(
                command + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, timeout=TIMEOUT_S
            )
    except subprocess.TimeoutExpired as error:
        ended = subprocess.CompletedProcess(error.cmd, -1, error.stdout or b"")
        cell.faults.append(f"did not end within {TIMEOUT_S} s")
    relay.close()
    if ended.returncode == NO_SUCH_ENCODING:
        cell.exists = False
        judge(cell, "-", "FAIL", log.read_text(errors="replace").strip(), known)
        return cell
    judge(cell, "-", "pass", "", known)
    lines = [line.split("\t") for line in ended.stdout.decode(errors="replace").splitlines()]
    outcomes = {line[0]: (line[1], line[2] if len(line) > 2 else "") for line in lines if len(line) > 1}
    for case in cases:
        judge(cell, case, *outcomes.get(case, ("FAIL", "the client said nothing about it")), known)
    failures = sum(outcome != "pass" for outcome, _ in outcomes.values())
    keeps = client.keeps_tls or not encoding.startswith(TLS)
    if keeps and relay.connections > client.connections + failures:
        cell.faults.append(f"{relay.connections} connections, with {failures} failures")
    if ended.returncode != 0:
        cell.faults.append(f"ended with {ended.returncode}; see {log.relative_to(ROOT)}")
    return cell


def judge(cell: Cell, case: str, outcome: str, reason: str, known: list[Cannot]) -> None:
    """Enters one case's outcome into the cell."""
    excuse = next((line for line in known if line.covers(cell.client, cell.encoding, case)), None)
    if outcome == "pass":
        cell.passed += case != "-"
        if excuse is not None:
            excuse.used = True
            cell.faults.append(f"{case} passed, but cannot.tsv says: {excuse.reason}. Remove or narrow that line")
    elif excuse is not None:
        excuse.used = True
        if case != "-":
            cell.cannot.append(case)
    else:
        cell.faults.append(f"{case}: {reason}")


def start_server() -> tuple[subprocess.Popen[str], str]:
    """The conformance server on a free port, and its address."""
    command = [SERVER, "--listen", "127.0.0.1:0"]
    command += ["--tls-certificate", CERTS / "server.pem", "--tls-key", CERTS / "server.key"]
    log = (TARGET / "logs" / "server.log").open("wb")
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    found = re.fullmatch(r"listening on (.+)\n", line)
    if found is None:
        server.kill()
        sys.exit(f"the server's first line is {line!r}")
    return server, found[1]


def tell(cells: list[Cell], unavailable: dict[str, str]) -> None:
    """Prints the matrix, and what is behind it."""
    found = {(cell.client, cell.encoding): cell for cell in cells}
    names = [client.name for client in CLIENTS if any(cell.client == client.name for cell in cells)]
    for channel in ("", TLS):
        rows = [[f"{channel or 'plain:'} {len(names)} clients", *ENCODINGS]]
        rows += [[name, *(str(found[name, channel + encoding]) for encoding in ENCODINGS)] for name in names]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print()
        for row in rows:
            print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    print()
    for name, reason in unavailable.items():
        print(f"{name}: not run, as {reason}")
    print("-N: cases that the runtime cannot do; n.a.: it does not have the encoding (tests/interop/cannot.tsv says why)")
    for cell in cells:
        for fault in cell.faults:
            print(f"FAIL {cell.client} {cell.encoding} {fault}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="fail when a client is unavailable on this machine")
    parser.add_argument("clients", nargs="*", help="names or patterns")
    arguments = parser.parse_args()
    wanted = [c for c in CLIENTS if not arguments.clients or any(fnmatch.fnmatch(c.name, p) for p in arguments.clients)]
    rows = [line.split("\t") for line in VECTORS.read_text("utf-8").splitlines() if not line.startswith("#")]
    cases = [f"{row[0]}/{row[1]}" for row in rows]
    lines = [line.split("\t") for line in (HERE / "cannot.tsv").read_text("utf-8").splitlines()]
    known = [Cannot(*line) for line in lines if not line[0].startswith("#")]
    (TARGET / "logs").mkdir(parents=True, exist_ok=True)

    commands: dict[str, list[str]] = {}
    unavailable: dict[str, str] = {}
    broken = 0
    for client in wanted:
        try:
            commands[client.name] = client.install()
        except Unavailable as error:
            unavailable[client.name] = str(error)
        except RuntimeError as error:
            unavailable[client.name] = f"it cannot be installed: {error}"
            broken += 1
    server, address = start_server()
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            calls = [
                pool.submit(call_both, client, commands[client.name], encoding, address, cases, known)
                for client in wanted
                if client.name in commands
                for encoding in ENCODINGS
            ]
            cells = [cell for each in calls for cell in each.result()]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
    tell(cells, unavailable)

    stale = [line for line in known if not line.used and not arguments.clients and line.client not in unavailable]
    for line in stale:
        print(f"FAIL cannot.tsv: nothing is like {line.client} {line.encoding} {line.case}: remove that line")
    failed = sum(bool(cell.faults) for cell in cells) + len(stale) + (len(unavailable) if arguments.all else broken)
    print(f"{sum(not cell.faults for cell in cells)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
