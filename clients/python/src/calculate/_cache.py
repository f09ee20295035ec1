"""The last list of a registry, in a file, for a start when the registry is not there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import time
from pathlib import Path

from ._instance import BadNode, Instance, instance_of

_BYTES_MAX = 16 * 2**20
log = logging.getLogger("calculate")


class Cache:
    """One target's list in one file. What goes wrong with it is logged once and never raised."""

    def __init__(self, path: Path, target: str) -> None:
        self._path = path
        self._target = target
        self._complained = False

    def load(self) -> list[Instance]:
        """The list that was written last; empty when there is none, or when it is another target's or broken."""
        try:
            with open(self._path, "rb") as file:
                content = file.read(_BYTES_MAX + 1)
            if len(content) > _BYTES_MAX:
                raise ValueError("it is too long")
            document = json.loads(content.decode("utf-8"))
            if document["target"] != self._target:
                return []
            return [instance_of(_id_of(each), each) for each in document["instances"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, RecursionError, BadNode) as error:
            self._complain("read", error)
            return []

    def store(self, instances: list[Instance]) -> None:
        """Replaces the file as a whole, so that nobody ever reads half of it."""
        document = {
            "target": self._target,
            "written": time.time_ns() // 1_000_000,
            "instances": [instance.to_json() for instance in sorted(instances, key=lambda i: i.id.encode())],
        }
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)  # of mode 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
                os.replace(name, self._path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                raise
        except (OSError, ValueError) as error:
            self._complain("write", error)

    def _complain(self, what: str, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            log.warning("cannot %s the list in %s: %s", what, self._path, error)


def cache_of(target: str, setting: str | os.PathLike[str] | None, *, by_default: bool) -> Cache | None:
    """The cache that the option ``cache_file`` asks for."""
    if setting is None:
        if not by_default:
            return None
        name = hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        return Cache(Path(home) / "calculate" / f"{name}.json", target)
    return Cache(Path(setting), target) if os.fspath(setting) else None


def _id_of(node: object) -> str:
    id_ = node.get("id") if isinstance(node, dict) else None
    if not isinstance(id_, str) or not id_ or not id_.isprintable():
        raise BadNode("an instance has no id")
    return id_
