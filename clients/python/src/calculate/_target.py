"""Where to connect: ``HOST:PORT``, ``[IPv6]:PORT`` or ``unix:/PATH``."""

from __future__ import annotations

import os
import socket
import sys
from typing import NamedTuple

from ._one_line import one_line

_UNIX = "unix:"
FORMS = (
    "write HOST:PORT, such as 127.0.0.1:9090, [IPv6]:PORT, such as [::1]:9090, or unix:/PATH; for several servers "
    "HOST:PORT,HOST:PORT…, dns://NAME:PORT, or zk://HOST:PORT[,HOST:PORT…]/BASE/SERVICE[?version=1-2&group=G&zone=Z]"
)
_UNIX_PATH_BYTES_MAX = (108 if sys.platform == "linux" else 104) - 1  # sockaddr_un.sun_path and its NUL


class Target(NamedTuple):
    """A server's TCP address, not looked up yet."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class UnixTarget(NamedTuple):
    """The file of a server's unix socket."""

    path: str

    def __str__(self) -> str:
        return _UNIX + one_line(self.path)


def parse_target(text: str) -> Target | UnixTarget:
    """The target that ``text`` names; ``ValueError`` says what is wrong with it and shows the form."""
    return _parse_unix(text) if text.startswith(_UNIX) else parse_host(text, text)


def _parse_unix(text: str) -> UnixTarget:
    path = text[len(_UNIX) :]
    length = len(os.fsencode(path))
    if not hasattr(socket, "AF_UNIX"):
        raise wrong(text, "this platform's Python has no unix sockets")
    if not path:
        raise wrong(text, "the path is missing")
    if "\0" in path:
        raise wrong(text, "no path has a NUL in it")
    if length > _UNIX_PATH_BYTES_MAX:
        raise wrong(text, f"the path takes {length} bytes, a unix socket's at most {_UNIX_PATH_BYTES_MAX}")
    return UnixTarget(path)


def parse_host(place: str, text: str) -> Target:
    """The HOST:PORT that ``place`` is, which is a part of ``text`` or all of it."""
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        raise wrong(text, f"the port is missing{_in(place, text)}")
    if host.startswith("[") != host.endswith("]"):
        raise wrong(text, f"a bracket is missing{_in(place, text)}")
    if host.startswith("["):
        host = host[1:-1]
        if ":" not in host:
            raise wrong(text, f"only an IPv6 address is put in brackets{_in(place, text)}")
    elif ":" in host:
        raise wrong(text, f"an IPv6 address is put in brackets{_in(place, text)}")
    if not host:
        raise wrong(text, f"the host is missing{_in(place, text)}")
    if any(c.isspace() or c in "/@[]" for c in host):
        raise wrong(text, f"the host is not a name or an address{_in(place, text)}")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise wrong(text, f"the port {port!r} is not a number from 1 to 65535{_in(place, text)}")
    return Target(host, int(port))


def wrong(text: str, what: str) -> ValueError:
    """The error for a target that is none."""
    return ValueError(f"server address {text!r}: {what}; {FORMS}")


def _in(place: str, text: str) -> str:
    return "" if place == text else f" in {place!r}"
