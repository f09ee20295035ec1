"""Where to connect: ``HOST:PORT``, ``[IPv6]:PORT`` or ``unix:/PATH``."""

from __future__ import annotations

import os
import socket
import sys
from typing import NamedTuple

from .errors import one_line

_UNIX = "unix:"
_FORM = "write HOST:PORT, such as 127.0.0.1:9090, [IPv6]:PORT, such as [::1]:9090, or unix:/PATH"
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
    return _parse_unix(text) if text.startswith(_UNIX) else _parse_tcp(text)


def _parse_unix(text: str) -> UnixTarget:
    path = text[len(_UNIX) :]
    length = len(os.fsencode(path))
    if not hasattr(socket, "AF_UNIX"):
        raise _wrong(text, "this platform's Python has no unix sockets")
    if not path:
        raise _wrong(text, "the path is missing")
    if "\0" in path:
        raise _wrong(text, "no path has a NUL in it")
    if length > _UNIX_PATH_BYTES_MAX:
        raise _wrong(text, f"the path takes {length} bytes, a unix socket's at most {_UNIX_PATH_BYTES_MAX}")
    return UnixTarget(path)


def _parse_tcp(text: str) -> Target:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        raise _wrong(text, "the port is missing")
    if host.startswith("[") != host.endswith("]"):
        raise _wrong(text, "a bracket is missing")
    if host.startswith("["):
        host = host[1:-1]
        if ":" not in host:
            raise _wrong(text, "only an IPv6 address is put in brackets")
    elif ":" in host:
        raise _wrong(text, "an IPv6 address is put in brackets")
    if not host:
        raise _wrong(text, "the host is missing")
    if any(c.isspace() or c in "/@[]" for c in host):
        raise _wrong(text, "the host is not a name or an address")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise _wrong(text, f"the port {port!r} is not a number from 1 to 65535")
    return Target(host, int(port))


def _wrong(text: str, what: str) -> ValueError:
    return ValueError(f"server address {text!r}: {what}; {_FORM}")
