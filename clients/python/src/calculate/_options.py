"""What may be set on a client, and the defaults: the same in every language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ._tls import Tls

Protocol = Literal["binary", "compact"]
Framing = Literal["framed", "unframed"]

TIMEOUT_S = 5.0
_TIMEOUT_S_MAX = 1_000_000  # poll(2) counts milliseconds in an i32
MAX_MESSAGE_BYTES = 16_384_000
_MAX_MESSAGE_BYTES_MAX = 2**31 - 1  # a frame's length is an i32


@dataclass(frozen=True)
class Options:
    """Checked settings of one client; ``ValueError`` says which one is wrong."""

    timeout: float = TIMEOUT_S
    """A call's one deadline, in seconds: connect + send + wait."""
    protocol: Protocol = "binary"
    framing: Framing = "framed"
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """The longest message that is accepted or sent."""
    tls: Tls | None = None
    """None for a plain connection."""

    def __post_init__(self) -> None:
        check_timeout(self.timeout)
        if self.protocol not in get_args(Protocol):
            raise ValueError(f"protocol {self.protocol!r} is not known; use 'binary' or 'compact'")
        if self.framing not in get_args(Framing):
            raise ValueError(f"framing {self.framing!r} is not known; use 'framed' or 'unframed'")
        if not 0 < self.max_message_bytes <= _MAX_MESSAGE_BYTES_MAX:
            raise ValueError(f"max_message_bytes is {self.max_message_bytes}; use 1 to {_MAX_MESSAGE_BYTES_MAX}")
        if self.tls is not None and not isinstance(self.tls, Tls):
            raise ValueError(f"tls is {self.tls!r}; use calculate.Tls(…), or None for a plain connection")


def check_timeout(timeout: float) -> None:
    """Refuses what cannot be a time-out in seconds."""
    if not 0 < timeout <= _TIMEOUT_S_MAX:
        raise ValueError(f"timeout is {timeout}; use a positive number of seconds, up to {_TIMEOUT_S_MAX}")
