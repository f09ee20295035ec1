"""The asyncio client: the methods of idl/calculate.thrift as coroutines.

from calculate import aio

async with await aio.connect("127.0.0.1:9090") as client:
    await client.square(9.0)  # 3.0: Square is the square ROOT
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from ._aio_balanced import AioBalancedChannel
from ._aio_channel import AioChannel
from ._balancing import Balancing
from ._channel import Key
from ._client import CAL, SQUARE, cal_args, square_args
from ._events import Counters
from ._method import Method
from ._options import MAX_MESSAGE_BYTES, TIMEOUT_S, Framing, Options, Protocol
from ._service_target import parse_service_target
from ._target import Target, UnixTarget
from ._tls import Tls

__all__ = ["AsyncClient", "connect"]


async def connect(
    server: str,
    *,
    timeout: float = TIMEOUT_S,
    protocol: Protocol = "binary",
    framing: Framing = "framed",
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    tls: Tls | None = None,
    balancing: Balancing | None = None,
) -> AsyncClient:
    """Connects to a Calculate server, or to several, and returns a client for the running event loop.

    The arguments and the errors are those of ``calculate.connect``.
    """
    options = Options(timeout, protocol, framing, max_message_bytes, tls)
    target = parse_service_target(server)
    channel: AioChannel | AioBalancedChannel
    if isinstance(target, (Target, UnixTarget)):
        channel = AioChannel(target, options)
    else:
        channel = AioBalancedChannel(server, target, options, balancing or Balancing())
    await channel.connect()
    return AsyncClient(channel)


class AsyncClient:
    """A client of a Calculate server, or of several, made by ``connect``. The tasks of its event loop may share it.

    Calls made at the same time share one connection, and those of one turn of the loop leave in one write. A
    cancelled call's answer is dropped when it comes. All else is as with ``calculate.Client``.
    """

    def __init__(self, channel: AioChannel | AioBalancedChannel) -> None:
        self._channel = channel

    async def square(self, value: float, *, timeout: float | None = None, key: Key = None) -> float:
        """The principal SQUARE ROOT of ``value`` (not its square: see ``cal``), correctly rounded.

        NaN gives NaN, infinity gives infinity, -0.0 gives -0.0. Raises DomainError for a negative number.
        """
        result: float = (await self._channel.call(SQUARE, square_args(value), timeout, key)).value
        return result

    async def cal(self, value: float, *, timeout: float | None = None, key: Key = None) -> float:
        """The square of ``value``: value times value in IEEE 754 binary64; infinity when that is too large."""
        result: float = (await self._channel.call(CAL, cal_args(value), timeout, key)).value
        return result

    async def call(self, method: Method, args: Any, *, timeout: float | None = None, key: Key = None) -> Any:
        """Any method of any IDL, as ``calculate.Client.call``."""
        return await self._channel.call(method, args, timeout, key)

    def counters(self) -> Counters | None:
        """How often what has happened with several servers; None for a client of one."""
        return self._channel.counters() if isinstance(self._channel, AioBalancedChannel) else None

    async def close(self) -> None:
        """Closes the connection. Calls in flight and later calls raise ConnectionClosed. May be repeated."""
        await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
