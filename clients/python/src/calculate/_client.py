"""The blocking client: the methods of idl/calculate.thrift on a Channel.

Only this file and ``aio.py`` name what is in the IDL. Another IDL takes neither: its methods are called by ``call``.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from ._balanced import BalancedChannel
from ._balancing import Balancing
from ._channel import Channel, Key
from ._events import Counters
from ._gen import Calculate
from ._gen.ttypes import Number
from ._method import Method
from ._options import MAX_MESSAGE_BYTES, TIMEOUT_S, Framing, Options, Protocol
from ._service_target import parse_service_target
from ._target import Target, UnixTarget
from ._tls import Tls
from .errors import DomainError


def connect(
    server: str,
    *,
    timeout: float = TIMEOUT_S,
    protocol: Protocol = "binary",
    framing: Framing = "framed",
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    tls: Tls | None = None,
    balancing: Balancing | None = None,
) -> Client:
    """Connects to a Calculate server, or to several, and returns a client.

    ``server`` is ``HOST:PORT``, ``[IPv6]:PORT``, or ``unix:/PATH`` for a unix socket; or several servers:

    - ``HOST:PORT,HOST:PORT…``: these
    - ``dns://NAME:PORT``: all addresses of a name, looked up anew every 10 s and when one of them fails
    - ``zk://HOST:PORT[,HOST:PORT…]/BASE/SERVICE[?version=RANGE&group=GROUP&zone=ZONE]``: those registered in ZooKeeper,
      as Curator's x-discovery lays them out. RANGE is ``2``, ``1-3`` or ``2+``; without it, any version is called.

    With several servers nothing is connected here: what is awaited is a list with a server in it. ``balancing`` is a
    ``Balancing`` that says how calls are spread over them.

    ``timeout``, in seconds, is the one deadline of each call (connecting, a TLS handshake included, sending and waiting
    together) and of this call. A reply longer than ``max_message_bytes`` is a ProtocolError. ``tls`` is a ``Tls`` for a
    server that wants it: ``Tls()`` trusts the system's authorities. The wire formats are those of Apache Thrift's
    thrift-rpc.md, thrift-binary-protocol.md and thrift-compact-protocol.md.

    Raises ValueError for an argument that cannot be right, ConnectError when no connection can be made or no server
    is found, and DeadlineExceeded when it cannot be made in time.
    """
    options = Options(timeout, protocol, framing, max_message_bytes, tls)
    target = parse_service_target(server)
    if isinstance(target, (Target, UnixTarget)):
        return Client(Channel(target, options))
    return Client(BalancedChannel(server, target, options, balancing or Balancing()))


class Client:
    """A client of a Calculate server, or of several, made by ``connect``. Any number of threads may share it.

    Calls made at the same time share one connection and do not wait for each other. A connection that was lost is
    replaced by the next call. A call that may have reached the server is never repeated by a client of one server.

    A client of several sends each call to one of them. Who fails a call is not called for a second or more, until a
    probe finds it well. A call that failed without an answer is tried on another server, at most three times in all and
    within the one deadline, as long as few calls fail; both methods may be repeated without harm.

    Every method takes ``timeout``, in seconds, for this call alone, and ``key``, what the call is about, for
    ``Balancing(balance="hash")``: calls with the same key go to the same server. It raises, besides what it names:
    DeadlineExceeded, Overloaded, ConnectError, ConnectionClosed, ProtocolError or ApplicationError, all of them
    CalculateError; and TypeError for what is no number.
    """

    def __init__(self, channel: Channel | BalancedChannel) -> None:
        self._channel = channel

    def square(self, value: float, *, timeout: float | None = None, key: Key = None) -> float:
        """The principal SQUARE ROOT of ``value`` (not its square: see ``cal``), correctly rounded.

        NaN gives NaN, infinity gives infinity, -0.0 gives -0.0. Raises DomainError for a negative number.
        """
        result: float = self._channel.call(SQUARE, square_args(value), timeout, key).value
        return result

    def cal(self, value: float, *, timeout: float | None = None, key: Key = None) -> float:
        """The square of ``value``: value times value in IEEE 754 binary64; infinity when that is too large."""
        result: float = self._channel.call(CAL, cal_args(value), timeout, key).value
        return result

    def call(self, method: Method, args: Any, *, timeout: float | None = None, key: Key = None) -> Any:
        """Any method of any IDL: ``args`` is an instance of ``method.args``, the value what its result holds.

        A oneway call is over when it was sent: its value is None, and no more is known. An exception that the IDL
        declares is raised as ``method.errors`` says, which is a DeclaredError if it says nothing. Arguments that the
        IDL's types cannot hold raise TypeError or OverflowError, a call longer than max_message_bytes ValueError.
        """
        return self._channel.call(method, args, timeout, key)

    def counters(self) -> Counters | None:
        """How often what has happened with several servers; None for a client of one."""
        return self._channel.counters() if isinstance(self._channel, BalancedChannel) else None

    def close(self) -> None:
        """Closes the connection. Calls in flight and later calls raise ConnectionClosed. May be repeated."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _domain_error(generated: Any, server: str) -> DomainError:
    return DomainError(generated.message, generated.value, server)


SQUARE = Method(
    "Square",
    Calculate.Square_args,
    Calculate.Square_result,
    {"error": _domain_error},
    idempotent=True,
    service="Calculate",
)
CAL = Method("Cal", Calculate.Cal_args, Calculate.Cal_result, idempotent=True, service="Calculate")


def square_args(value: float) -> Any:
    """The generated arguments of Square."""
    return Calculate.Square_args(Number(value if type(value) is float else _real(value)))


def cal_args(value: float) -> Any:
    """The generated arguments of Cal."""
    return Calculate.Cal_args(Number(value if type(value) is float else _real(value)))


def _real(value: float) -> float:
    if isinstance(value, (str, bytes, bytearray)):  # float() would parse them
        raise TypeError(f"a number is needed, not {type(value).__name__}")
    return float(value)
