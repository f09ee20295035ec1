"""One server of a service, as the registry describes it: Curator's x-discovery JSON, read with suspicion."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ._target import Target

NODE_BYTES_MAX = 65_536
WEIGHT = 100
WEIGHT_MAX = 10_000
GROUP = "default"
_DEPTH_MAX = 100
_TEXT_LENGTH_MAX = 255
_VERSIONS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*", re.ASCII)
_VERSIONS_LENGTH_MAX = 10_000
_WEIGHT = re.compile(r"[0-9]{1,5}", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_HOST = re.compile(r"[\s/@\[\]]")


class BadNode(Exception):
    """What a registry's node says is not an instance; the text says which field is wrong, and how."""


@dataclass(frozen=True)
class Instance:
    """One server: where it is, and what balancing must know of it."""

    id: str
    """Its node's name in the registry, or its HOST:PORT."""
    address: str
    port: int | None
    """For plain connections; None when there is none."""
    tls_port: int | None = None
    versions: tuple[int, ...] | None = None
    """Those of the service that it answers for; None when it does not say."""
    group: str = GROUP
    weight: int = WEIGHT
    """Its share of the calls among the others, 0 to 10000; 0 for none."""
    zone: str = ""
    enabled: bool = True
    """Whether it is to be called."""
    registered: int = 0
    """When it was registered, in ms since 1970, by its own clock."""
    payload: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)
    """All that came with it."""

    def target(self, *, tls: bool) -> Target | None:
        """Where a client of this kind connects; None when this instance does not serve that kind."""
        port = (self.tls_port or self.port) if tls else self.port
        return None if port is None else Target(self.address, port)

    def to_json(self) -> dict[str, Any]:
        """What ``read_node`` reads, and the id."""
        return {
            "id": self.id,
            "address": self.address,
            "port": self.port,
            "sslPort": self.tls_port,
            "payload": {key: value for key, value in self.payload.items() if isinstance(value, str)},
            "registrationTimeUTC": self.registered,
            "enabled": self.enabled,
        }

    def called_version(self, asked: tuple[int, int] | None) -> int | None:
        """The version by whose name it is called: the highest that is asked for, where it hosts several.

        None for the plain name, which is its lowest's. idl/vectors/versions.tsv says it exactly.
        """
        if self.versions is None or asked is None:
            return None
        highest = max((version for version in self.versions if asked[0] <= version <= asked[1]), default=None)
        return None if highest == min(self.versions) else highest


def read_node(name: str, content: bytes) -> Instance:
    """The instance in a node of the registry; raises BadNode.

    Defaults stand in for all but the address and one of the ports. What is not known is not looked at.
    """
    if len(content) > NODE_BYTES_MAX:
        _refuse(f"it takes {len(content)} bytes, at most {NODE_BYTES_MAX} are read")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"it is not UTF-8 ({error.reason} at byte {error.start})")
    try:
        node = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        _refuse(f"it is not json ({error})")
    return instance_of(name, node)


def instance_of(name: str, node: Any) -> Instance:
    """The instance in what was JSON; raises BadNode."""
    if type(node) is not dict or _too_deep(node):
        _refuse("it is not a json object, or one nested too deep")
    address = _text(node, "address") or ""
    if not address or _NO_HOST.search(address):
        _refuse(f"address is {address!r}, which is no host")
    port, tls_port = _whole(node, "port", 1, 65535), _whole(node, "sslPort", 1, 65535)
    if port is None and tls_port is None:
        _refuse("port is missing, and sslPort too")
    enabled = node.get("enabled")
    if enabled is not None and type(enabled) is not bool:
        _refuse(f"enabled is {enabled!r}, not true or false")
    payload = node.get("payload")
    if payload is None:
        payload = {}
    if type(payload) is not dict:
        _refuse("payload is not an object")
    group, zone = _text(payload, "group"), _text(payload, "zone")
    return Instance(
        id=name,
        address=address,
        port=port,
        tls_port=tls_port,
        versions=_versions(payload),
        group=GROUP if group is None else group,
        weight=_weight(payload),
        zone=zone or "",
        enabled=enabled is not False,
        registered=_whole(node, "registrationTimeUTC", 0, 2**63 - 1) or 0,
        payload=payload,
    )


def _refuse(why: str) -> NoReturn:
    raise BadNode(why)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEPTH_MAX):
        level = [
            item
            for each in level
            if isinstance(each, (dict, list))
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def _whole(fields: dict[str, Any], name: str, low: int, high: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:  # a bool is an int, too
        _refuse(f"{name} is {_shown(value)}, not a whole number from {low} to {high}")
    return value


def _text(fields: dict[str, Any], name: str, longest: int = _TEXT_LENGTH_MAX) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not str or len(value) > longest or _CONTROL.search(value):
        _refuse(f"{name} is {_shown(value)}, not a printable text of at most {longest} characters")
    return value


def _versions(payload: dict[str, Any]) -> tuple[int, ...] | None:
    text = _text(payload, "version", _VERSIONS_LENGTH_MAX)
    if text is None:
        return None
    if not _VERSIONS.fullmatch(text):
        _refuse(f"version is {_shown(text)}, not whole numbers separated by commas")
    return tuple(int(each) for each in text.split(","))


def _weight(payload: dict[str, Any]) -> int:
    text = _text(payload, "weight")
    if text is None:
        return WEIGHT
    if not _WEIGHT.fullmatch(text) or int(text) > WEIGHT_MAX:
        _refuse(f"weight is {_shown(text)}, not a whole number from 0 to {WEIGHT_MAX}")
    return int(text)


def _shown(value: Any) -> str:
    text = repr(value)
    return ascii(text if len(text) <= 60 else text[:60] + "…")[1:-1]
