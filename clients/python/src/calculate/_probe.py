"""Asks an instance whether it is well: any answer to ``ping`` will do, also that there is no such method."""

from __future__ import annotations

from typing import Any

from ._channel import Channel
from ._method import Method
from ._options import Options
from ._target import Target
from .errors import ApplicationError, CalculateError, DomainError, Overloaded

PROBE_S = 1.0


class _Nothing:
    """An empty struct, as the compiler would generate it."""

    thrift_spec = ()

    def read(self, source: Any) -> None:
        source.skip(12)

    def write(self, out: Any) -> None:
        out.writeStructBegin("nothing")
        out.writeFieldStop()
        out.writeStructEnd()


_PING = Method("ping", _Nothing, _Nothing)


def probe(target: Target, options: Options) -> bool:
    """Whether a connection of its own is made and answered within a second. ``options.timeout`` is that second."""
    try:
        channel = Channel(target, options)
    except (CalculateError, ValueError, OSError):
        return False
    try:
        channel.call(_PING, _Nothing(), None)
        return True
    except (ApplicationError, DomainError, Overloaded):
        return True
    except CalculateError:
        return False
    finally:
        channel.close()
