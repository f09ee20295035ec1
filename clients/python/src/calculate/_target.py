"""Where to connect: ``HOST:PORT`` or ``[IPv6]:PORT``."""

from __future__ import annotations

from typing import NamedTuple

_FORM = "write HOST:PORT, such as 127.0.0.1:9090, or [IPv6]:PORT, such as [::1]:9090"


class Target(NamedTuple):
    """A server's address, not looked up yet."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_target(text: str) -> Target:
    """The target that ``text`` names; ``ValueError`` says what is wrong with it and shows the form."""

    def wrong(what: str) -> ValueError:
        return ValueError(f"server address {text!r}: {what}; {_FORM}")

    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        raise wrong("the port is missing")
    if host.startswith("[") != host.endswith("]"):
        raise wrong("a bracket is missing")
    if host.startswith("["):
        host = host[1:-1]
        if ":" not in host:
            raise wrong("only an IPv6 address is put in brackets")
    elif ":" in host:
        raise wrong("an IPv6 address is put in brackets")
    if not host:
        raise wrong("the host is missing")
    if any(c.isspace() or c in "/@[]" for c in host):
        raise wrong("the host is not a name or an address")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535):
        raise wrong(f"the port {port!r} is not a number from 1 to 65535")
    return Target(host, int(port))
