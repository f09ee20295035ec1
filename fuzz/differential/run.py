"""Gives the same bytes to our protocols and to Apache's Python and Java libraries. What we accept, they must read alike.

    python3 fuzz/differential/run.py [--cases N] [--seconds S] [--seed N]

Where we refuse what all of them accept, why must be in stricter.tsv; where one of them cannot read what we do, or reads
something else, in differences.tsv. What the files list and a run of 50,000 cases or more does not meet fails, too.
Needs the example "differential", the Java client's jar (make build) and javac; Apache's Python library is installed
below target.
"""

from __future__ import annotations

import argparse
import re
import select
import shutil
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from cases import cases

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = ROOT / "target" / "differential"
JAR = ROOT / "clients/java/target/calculate-client.jar"
PATIENCE = 10
NAN = "d7ff8000000000000"
BINARY_HEADER, COMPACT_HEADER = bytes.fromhex("80010001000000016d00000000"), bytes.fromhex("822100016d")


class Reader:
    """A long-running child that answers cases. One that is stuck, or dies, has answered "no", and is started anew."""

    def __init__(self, name: str, command: list[str], letters: str = "bcoBC"):
        self.name, self.command, self.letters = name, command, letters
        self.process: subprocess.Popen[bytes] | None = None

    def answer(self, letter: str, data: bytes) -> str:
        self.ask(letter, data)
        return self.hear()

    def ask(self, letter: str, data: bytes) -> None:
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        case = letter.encode() + data
        self.process.stdin.write(struct.pack("!I", len(case)) + case)
        self.process.stdin.flush()

    def hear(self) -> str:
        try:
            (length,) = struct.unpack("!I", self.read(4))
            return self.read(length).decode()
        except (TimeoutError, EOFError) as error:
            self.stop()
            return f"no {type(error).__name__}"

    def read(self, count: int) -> bytes:
        # The child answers one case at a time, so nothing of a next answer is ever in the pipe.
        pieces = b""
        while len(pieces) < count:
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                raise TimeoutError
            piece = self.process.stdout.raw.read(count - len(pieces))
            if not piece:
                raise EOFError
            pieces += piece
        return pieces

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Table:
    """Lines of a file: who it is about, a pattern, and the reason; which of them were met."""

    def __init__(self, name: str):
        lines = (HERE / name).read_text("utf-8").splitlines()
        self.name, self.met = name, Counter()
        self.rows = [line.split("\t") for line in lines if line and not line.startswith("#")]

    def explains(self, who: str, text: str) -> bool:
        for row in self.rows:
            if who in row[0].split(",") and re.search(row[1], text):
                self.met[row[1]] += 1
                return True
        return False

    def unmet(self) -> list[str]:
        return [f"{self.name}: {row[1]!r} was not met" for row in self.rows if not self.met[row[1]]]


def readers() -> list[Reader]:
    venv, classes = TARGET / "python", TARGET / "java"
    python = venv / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", str(venv))
        run(str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "thrift==0.25.0")
    shutil.rmtree(classes, ignore_errors=True)
    sources = map(str, (HERE / "java").rglob("*.java"))
    run("javac", "-nowarn", "-Xlint:none", "-proc:none", "-d", str(classes), "-cp", str(JAR), *sources)
    program = str(HERE / "python/apache.py")
    java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{classes}:{JAR}", "Apache"]
    return [
        Reader("python", [str(python), program]),
        Reader("python-c", [str(python), program, "accelerated"], "BC"),
        Reader("java", java),
    ]


def run(*command: str) -> None:
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)[:200]} ended with {ended.returncode}:\n{ended.stdout[-3000:]}")


def differences_of(letter: str, data: bytes, ours: Reader, others: list[Reader], tables: tuple[Table, Table]) -> list[str]:
    """What about this case is not as it should be, and not explained either."""
    differences, stricter = tables
    others = [reader for reader in others if letter in reader.letters]
    for reader in [ours, *others]:
        reader.ask(letter, data)
    said, heard = ours.hear(), {reader.name: reader.hear() for reader in others}
    if said.startswith("no "):
        if "Error" in said[:12]:
            return [f"ours ended: {said}"]
        if all(answer.startswith("ok ") for answer in heard.values()) and not stricter.explains("ours", said):
            return [f"all others accept what we refuse: {said}\n    {heard}"]
        return []
    meaning, again = said, []
    if letter.isupper():
        meaning, *again = said.rsplit(" ", 2)
    sent = ""
    if letter.isupper() and any(answer != meaning for answer in heard.values()):
        sent = ours.answer(letter.lower(), (BINARY_HEADER if letter == "B" else COMPACT_HEADER) + data)
    wrong = unlike(letter, meaning, heard, differences, sent)
    # They read what we make of it, too.
    for written, to in zip(again, "BC", strict=False):
        heard = {reader.name: reader.answer(to, bytes.fromhex(written)) for reader in others}
        wrong += unlike(to, meaning, heard, differences)
    return wrong


def unlike(letter: str, meaning: str, heard: dict[str, str], differences: Table, sent: str = "") -> list[str]:
    return [
        f"{name} on {letter}: {answer}\n    ours: {meaning}"
        for name, answer in heard.items()
        if without_empty_unions(name, answer) not in (meaning, said_by(name, letter, meaning))
        and not differences.explains(name, f"{letter} {meaning} {answer} sent: {sent}")
    ]


def without_empty_unions(name: str, answer: str) -> str:
    """A union with a variant that the IDL does not know is absent in Rust; in Python it is there, with nothing in it."""
    return re.sub(r"(?<=[{,])10:\{\},?", "", answer).replace(",}", "}") if name.startswith("python") else answer


def said_by(name: str, letter: str, meaning: str) -> str:
    """What another says to what means this to us, where its generated code is made so that it cannot say the same."""
    if name == "java" and letter.isupper():
        # An enum in Java has no place for a value that its IDL does not know: the field counts as absent.
        meaning = re.sub(r"(?<=[{,])9:i(?!(?:1|2|4)[,}])-?\d+,?", "", meaning).replace(",}", "}")
        # And it writes every NaN as the same one.
        meaning = re.sub(r"d[7f]ff[0-9a-f]{13}", lambda bits: bits[0] if bits[0][4:] == "0" * 13 else NAN, meaning)
    return meaning


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seconds", type=float, help="go on for so long, instead of a number of cases")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    ours = Reader("ours", [str(ROOT / "target/quick/examples/differential")])
    others = readers()
    tables = Table("differences.tsv"), Table("stricter.tsv")
    began, count, accepted, faults = time.monotonic(), 0, 0, []
    for letter, data in cases(arguments.seed):
        done = time.monotonic() - began >= arguments.seconds if arguments.seconds else count >= arguments.cases
        if done or len(faults) >= 20:
            break
        count += 1
        wrong = differences_of(letter, data, ours, others, tables)
        faults += [f"{fault}\n    bytes: {letter} {data.hex()}" for fault in wrong]
    for reader in [ours, *others]:
        reader.stop()
    if count >= 50_000:
        faults += [text for table in tables for text in table.unmet()]
    for fault in faults:
        print(fault)
    for table in tables:
        for row in table.rows:
            print(f"{table.met[row[1]]:7} {table.name:17} {row[0]:20} {row[2]}")
    print(f"{count} cases, seed {arguments.seed}, {time.monotonic() - began:.0f} s: {len(faults)} differences")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
