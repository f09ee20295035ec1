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
THRIFTPY2 = "0.7.1"


class Unavailable(Exception):
    """The machine lacks something; the text says what."""


@dataclass(frozen=True)
class Client:
    """One row of the matrix."""

    name: str
    install: Callable[[], list[str]]
    runtime: str = ""
    # How many it may make for all cases.
    connections: int = 1
    # Whether it uses an encrypted connection for more than one call.
    keeps_tls: bool = True


def rust() -> list[str]:
    return [str(ROOT / "target" / "quick" / "examples" / "interop")]


def python(program: str) -> Callable[[], list[str]]:
    def install() -> list[str]:
        venv = TARGET / "python"
        packages = [f"thrift=={THRIFT}", f"thriftpy2=={THRIFTPY2}"]
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
    inputs = [*sources("java"), str(JAR)]
    if once(classes / "installed", inputs):
        shutil.rmtree(classes, ignore_errors=True)
        run("javac", "-nowarn", "-Xlint:none", "-proc:none", "-d", str(classes), "-cp", str(JAR), *sources("java"))
        done(classes / "installed", inputs)
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{classes}:{JAR}", "interop.Main"]


def generate(language: str, out: Path, *files: str) -> None:
    """Compiles IDL files; any version of the compiler will do."""
    found = subprocess.run([ROOT / "idl" / "compiler.sh", "any"], capture_output=True, text=True)
    if found.returncode != 0:
        raise Unavailable(found.stderr.strip())
    out.mkdir(parents=True, exist_ok=True)
    for file in files:
        run(*found.stdout.split(), "-strict", "--gen", language, "-out", str(out), str(ROOT / "idl" / f"{file}.thrift"))


def go() -> list[str]:
    need("go")
    folder = TARGET / "go"
    inputs = sources("go") + idl()
    if once(folder / "installed", inputs):
        lay(HERE / "go", folder)
        generate("go:package_prefix=interop/gen/,skip_remote", folder / "gen", "conformance", "conformance_uuid")
        run("go", "build", "-o", "client", ".", cwd=folder)
        done(folder / "installed", inputs)
    return [str(folder / "client")]


def node() -> list[str]:
    need("node")
    need("npm")
    folder = TARGET / "node"
    inputs = sources("node") + idl()
    if once(folder / "installed", inputs):
        lay(HERE / "node", folder)
        generate("js:node,es6", folder / "gen", "conformance", "conformance_uuid")
        run("npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", cwd=folder)
        done(folder / "installed", inputs)
    return ["node", str(folder / "main.js")]


def cpp() -> list[str]:
    """Debian's library, with the compiler of the same version, and the headers that it includes; unpacked, not installed."""
    for program in ("g++", "apt-get", "dpkg"):
        need(program)
    if not Path("/usr/include/openssl/ssl.h").exists():
        raise Unavailable("libssl-dev is not installed")
    folder = TARGET / "cpp"
    inputs = sources("cpp") + idl()
    if once(folder / "installed", inputs):
        lay(HERE / "cpp", folder)
        # A machine that is new has no lists of packages, an old one perhaps lists of what is no longer there.
        run("apt-get", "-qq", "update")
        unpack(folder / "root", "libthrift-dev", "thrift-compiler", newest("libboost-dev"))
        (folder / "gen").mkdir()
        compiler = str(folder / "root" / "usr" / "bin" / "thrift")
        run(compiler, "--gen", "cpp:no_skeleton", "-out", str(folder / "gen"), str(ROOT / "idl" / "conformance.thrift"))
        library = next((folder / "root" / "usr" / "lib").glob("*/libthrift.a"))
        code = [str(path) for path in [folder / "main.cpp", *(folder / "gen").glob("*.cpp")]]
        headers = ["-I", str(folder), "-I", str(folder / "root" / "usr" / "include")]
        libraries = [str(library.with_name("libthriftz.a")), str(library), "-lssl", "-lcrypto", "-lz", "-lpthread"]
        run("g++", "-w", "-std=c++17", *headers, "-o", str(folder / "client"), *code, *libraries)
        done(folder / "installed", inputs)
    return [str(folder / "client")]


def volo() -> list[str]:
    need("cargo")
    target = TARGET / "volo"
    manifest = str(HERE / "volo" / "Cargo.toml")
    run("cargo", "build", "--locked", "--quiet", "--manifest-path", manifest, "--target-dir", str(target))
    return [str(target / "debug" / "interop-volo")]


def unpack(root: Path, *packages: str) -> None:
    """Debian packages of this machine's own suite, into a folder."""
    debs = root.parent / "debs"
    debs.mkdir()
    run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages, cwd=debs)
    for deb in debs.glob("*.deb"):
        run("dpkg", "-x", str(deb), str(root))
    versions = {deb.name.split("_")[1] for deb in debs.glob("*thrift*.deb")}
    if len(versions) != 1:
        raise RuntimeError(f"Debian's compiler and library have different versions: {versions}")


def newest(package: str) -> str:
    """What a Debian package that only names the newest of several depends on."""
    said = subprocess.run(["apt-cache", "depends", package], capture_output=True, text=True).stdout
    found = [line.split()[-1] for line in said.splitlines() if "Depends:" in line]
    if not found:
        raise RuntimeError(f"Debian does not say what {package} depends on: {said}")
    return found[0]


CLIENTS = [
    Client("calculate-rust", rust, "calculate"),
    Client("calculate-python", python("python/ours.py"), "calculate"),
    Client("calculate-python-aio", python("python/ours.py"), "calculate-aio"),
    Client("calculate-java", java, "calculate"),
    Client("apache-rust", rust, "apache"),
    Client("apache-python", python("python/apache.py"), "apache"),
    Client("apache-python-c", python("python/apache.py"), "accelerated"),
    Client("apache-java", java, "apache"),
    Client("apache-go", go),
    Client("apache-cpp", cpp),
    Client("apache-node", node),
    # A pool for each of its two generated clients; it cannot tell whether an encrypted connection lives, and takes another.
    Client("volo", volo, connections=2, keeps_tls=False),
    Client("thriftpy2", python("thriftpy2/client.py"), "python"),
    Client("thriftpy2-cython", python("thriftpy2/client.py"), "cython"),
]


def sources(folder: str) -> list[str]:
    return sorted(str(path) for path in (HERE / folder).rglob("*") if path.is_file())


def idl() -> list[str]:
    return [str(ROOT / "idl" / "conformance.thrift"), str(ROOT / "idl" / "conformance_uuid.thrift")]


def lay(source: Path, folder: Path) -> None:
    """A fresh folder with a copy of ``source``: generated code joins it there, outside the tree."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)


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
