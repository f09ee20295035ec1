"""The programs that call the conformance server: how each is installed below target/interop, built and started.

A function of this file installs one kind of program and answers the start of its command line; it raises Unavailable
where the machine lacks what that takes. Versions are pinned: a new one is a change to be seen.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "interop"
TARGET = ROOT / "target" / "interop"
JAR = ROOT / "clients" / "java" / "target" / "calculate-client.jar"

THRIFT = "0.25.0"


class Unavailable(Exception):
    """The machine lacks something; the text says what."""


@dataclass(frozen=True)
class Client:
    """One row of the matrix."""

    name: str
    install: Callable[[], list[str]]
    runtime: str = ""


def rust() -> list[str]:
    return [str(ROOT / "target" / "release" / "examples" / "interop")]


def python(program: str) -> Callable[[], list[str]]:
    def install() -> list[str]:
        venv = TARGET / "python"
        packages = [f"thrift=={THRIFT}"]
        if once(venv / "installed", packages):
            run(sys.executable, "-m", "venv", "--clear", str(venv))
            run(str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *packages)
            done(venv / "installed", packages)
        return [str(venv / "bin" / "python"), str(HERE / program)]

    return install


def java() -> list[str]:
    """Both Java programs: libthrift as it is on Maven Central stands, unchanged, in the client's jar."""
    need("javac")
    if not JAR.exists():
        raise Unavailable("the Java client is not built (make build)")
    classes = TARGET / "java"
    sources = sorted(map(str, (HERE / "java").rglob("*.java")))
    if once(classes / "installed", [*sources, str(JAR)]):
        shutil.rmtree(classes, ignore_errors=True)
        run("javac", "-nowarn", "-Xlint:none", "-proc:none", "-d", str(classes), "-cp", str(JAR), *sources)
        done(classes / "installed", [*sources, str(JAR)])
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{classes}:{JAR}", "interop.Main"]


CLIENTS = [
    Client("calculate-rust", rust, "calculate"),
    Client("calculate-python", python("python/ours.py"), "calculate"),
    Client("calculate-python-aio", python("python/ours.py"), "calculate-aio"),
    Client("calculate-java", java, "calculate"),
    Client("apache-rust", rust, "apache"),
    Client("apache-python", python("python/apache.py"), "apache"),
    Client("apache-python-c", python("python/apache.py"), "accelerated"),
    Client("apache-java", java, "apache"),
]


def need(program: str) -> None:
    if shutil.which(program) is None:
        raise Unavailable(f"{program} is not on PATH")


def run(*command: str, cwd: Path | None = None) -> None:
    ended = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ended.returncode != 0:
        said = ended.stdout.decode(errors="replace")
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {ended.returncode}:\n{said[-3000:]}")


def once(marker: Path, inputs: list[str]) -> bool:
    """Whether something must be built, as what it is made of is not what ``marker`` remembers."""
    return not marker.exists() or marker.read_text() != _digest(inputs)


def done(marker: Path, inputs: list[str]) -> None:
    marker.write_text(_digest(inputs))


def _digest(inputs: list[str]) -> str:
    """Of texts, and of the content of those that name files."""
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(item.encode())
        if Path(item).is_file():
            digest.update(Path(item).read_bytes())
    return digest.hexdigest()
