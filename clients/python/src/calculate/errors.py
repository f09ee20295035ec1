"""What can go wrong with a call. The same tree, with the same names, in the Rust and the Java client.

    CalculateError
    ├── TransportError
    │   ├── ConnectError
    │   └── ConnectionClosed
    ├── DeadlineExceeded
    ├── Overloaded
    ├── ApplicationError
    ├── ProtocolError
    ├── DomainError
    └── DeclaredError

The text of each is one line: what happened, with which server, and what to do when something can be done.
All can be pickled.
"""

from __future__ import annotations

from typing import Any

from ._one_line import one_line

__all__ = [
    "ApplicationError",
    "CalculateError",
    "ConnectError",
    "ConnectionClosed",
    "DeadlineExceeded",
    "DeclaredError",
    "DomainError",
    "Overloaded",
    "ProtocolError",
    "TransportError",
]

_CODE_NAMES = (
    "unknown error",
    "unknown method",
    "invalid message type",
    "wrong method name",
    "bad sequence id",
    "missing result",
    "internal error",
    "protocol error",
    "invalid transform",
    "invalid protocol",
    "unsupported client type",
)


class CalculateError(Exception):
    """Any failure of a call or of a connection; the base of all others."""


class TransportError(CalculateError):
    """The connection failed. A call that was in flight may or may not have been carried out."""


class ConnectError(TransportError):
    """No connection could be made: nothing was sent."""


class ConnectionClosed(TransportError):
    """The connection ended while the call was in flight, or the client itself was closed.

    The call may have been carried out and is not repeated by itself.
    """


class DeadlineExceeded(CalculateError):
    """The call's time-out (connect, send and wait together) has passed; its answer, if one comes, is dropped."""


class Overloaded(CalculateError):
    """The server refused the call because it has too much to do; nothing was carried out: try again later."""


class ProtocolError(CalculateError):
    """The server sent something that is not a right answer in the agreed protocol; the connection was closed."""


class ApplicationError(CalculateError):
    """The server answered with a TApplicationException.

    ``code`` is its type (thrift-rpc.md: 1 unknown method, 6 internal error, …) and ``text`` the server's own
    words, unchanged; ``server`` is its address.
    """

    def __init__(self, code: int, text: str, server: str) -> None:
        super().__init__(code, text, server)
        self.code = code
        self.text = text
        self.server = server

    def __str__(self) -> str:
        name = _CODE_NAMES[self.code] if 0 <= self.code < len(_CODE_NAMES) else "unassigned code"
        return f"{self.server} answered with an error: {one_line(self.text)} (code {self.code}, {name})"


class DomainError(CalculateError):
    """The argument lies outside the domain on which the function is defined.

    ``message`` is the server's own words, ``value`` the argument as the server received it, ``server`` its
    address.
    """

    def __init__(self, message: str, value: float, server: str) -> None:
        super().__init__(message, value, server)
        self.message = message
        self.value = value
        self.server = server

    def __str__(self) -> str:
        return f"{one_line(self.message)} (value {self.value!r}, refused by {self.server})"


class DeclaredError(CalculateError):
    """An exception that the IDL declares, where the client has no error of its own for it: ``Client.call``.

    ``exception`` is the generated exception, ``server`` the server's address.
    """

    def __init__(self, exception: Any, server: str) -> None:
        super().__init__(exception, server)
        self.exception = exception
        self.server = server

    def __str__(self) -> str:
        return f"{self.server} answered with {one_line(repr(self.exception))}"

    def __reduce__(self) -> tuple[Any, ...]:
        # A generated exception does not let itself be pickled: it cannot be changed once it is made.
        kind = type(self.exception)
        fields = {field[2]: getattr(self.exception, field[2]) for field in kind.thrift_spec if field is not None}
        return _declared_error, (kind, fields, self.server)


def _declared_error(kind: type[Any], fields: dict[str, Any], server: str) -> DeclaredError:
    return DeclaredError(kind(**fields), server)
