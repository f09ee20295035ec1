"""Where a service is: one server, several, a name in the DNS, or a registry. idl/vectors/targets.tsv has examples."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._instance import GROUP
from ._target import Target, UnixTarget, parse_host, parse_target, wrong

NO_LIMIT = 9_999_999_999
_RANGE = re.compile(r"([0-9]{1,9})(?:(\+)|-([0-9]{1,9}))?", re.ASCII)
_KEYS = ("version", "group", "zone")
_VALUE_LENGTH_MAX = 255


class ListTarget(NamedTuple):
    """Some servers, each named once."""

    servers: tuple[Target, ...]


class DnsTarget(NamedTuple):
    """All addresses of a name."""

    server: Target


class ZooKeeperTarget(NamedTuple):
    """A service in a registry."""

    servers: tuple[Target, ...]
    """Of the ensemble."""
    path: str
    """The service's node: /BASE/SERVICE."""
    versions: tuple[int, int] | None = None
    """The lowest and the highest one to call; None for any."""
    group: str = GROUP
    zone: str = ""

    @property
    def ensemble(self) -> str:
        return ",".join(str(server) for server in self.servers)


AnyTarget = Target | UnixTarget | ListTarget | DnsTarget | ZooKeeperTarget


def parse_service_target(text: str) -> AnyTarget:
    """The target that ``text`` names; ``ValueError`` says what is wrong with it and shows the forms."""
    scheme, found, rest = text.partition("://")
    if text.startswith("unix:"):
        return parse_target(text)
    if found and scheme == "zk":
        return _parse_zookeeper(rest, text)
    if found and scheme == "dns":
        if "," in rest:
            raise wrong(text, "dns:// takes one name")
        return DnsTarget(parse_host(rest, text))
    if found:
        raise wrong(text, f"{scheme}:// is not known")
    if ",unix:" in text:
        raise wrong(text, "a unix socket cannot be one of several servers")
    if "," in text:
        return ListTarget(_parse_hosts(text, text))
    return parse_target(text)


def _parse_hosts(places: str, text: str) -> tuple[Target, ...]:
    return tuple(dict.fromkeys(parse_host(place, text) for place in places.split(",")))


def _parse_zookeeper(rest: str, text: str) -> ZooKeeperTarget:
    if "%" in rest:
        raise wrong(text, "nothing in it is percent-encoded, so it may have no %")
    place, mark, query = rest.partition("?")
    if mark and not query:
        raise wrong(text, "nothing follows the ?")
    ensemble, slash, path = place.partition("/")
    if "@" in ensemble:
        raise wrong(text, "a user and a password go into the option zk_auth")
    servers = _parse_hosts(ensemble, text)
    segments = path.split("/")
    if not slash or len(segments) < 2 or not all(segments):
        raise wrong(text, "the path must be /BASE/SERVICE")
    if any(segment.startswith(".") for segment in segments):
        raise wrong(text, "no part of the path may begin with a dot")
    if not _is_plain(path):
        raise wrong(text, "the path has a character that cannot be in one")
    settings = _parse_query(query, text) if mark else {}
    versions = _parse_range(settings["version"], text) if "version" in settings else None
    return ZooKeeperTarget(servers, "/" + path, versions, settings.get("group", GROUP), settings.get("zone", ""))


def _parse_query(query: str, text: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key not in _KEYS:
            raise wrong(text, f"{key!r} is not known behind the ?; use {', '.join(_KEYS)}")
        if key in settings:
            raise wrong(text, f"{key} is given twice")
        if not value or len(value) > _VALUE_LENGTH_MAX or not _is_plain(value) or "=" in value:
            raise wrong(text, f"{key} is {value!r}; use a short text without blanks")
        settings[key] = value
    return settings


def _parse_range(value: str, text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(value)
    if match is None:
        raise wrong(text, f"version is {value!r}; write 2, 1-3 or 2+")
    low = int(match[1])
    high = NO_LIMIT if match[2] else int(match[3] or match[1])
    if low > high:
        raise wrong(text, f"version is {value!r}, from a higher to a lower one")
    return low, high


def _is_plain(value: str) -> bool:
    return value.isprintable() and not any(c.isspace() or c == "#" for c in value)
