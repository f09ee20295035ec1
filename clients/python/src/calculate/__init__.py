"""calculate: square roots and squares, computed by a Calculate server.

    import calculate

    with calculate.connect("127.0.0.1:9090", timeout=5.0) as client:
        client.square(9.0)  # 3.0: Square is the square ROOT
        client.cal(3.0)     # 9.0: Cal is the square

``calculate.aio`` has the same for asyncio. A server that wants TLS, and a client certificate:

    tls = calculate.Tls(ca="ca.pem", certificate="client.pem", key="client.key")
    client = calculate.connect("localhost:9090", tls=tls)

Several servers, or those that a registry names:

    client = calculate.connect("zk://127.0.0.1:2181/services/calculate", balancing=calculate.Balancing(balance="hash"))
    client.square(9.0, key="customer-7")

The methods of an IDL of your own:

    COUNT = calculate.Method("Count", WordCount.Count_args, WordCount.Count_result)  # what the compiler generated
    client.call(COUNT, WordCount.Count_args(["to be or not to be"]))
"""

from __future__ import annotations

from . import aio
from ._balancing import Balancing
from ._client import Client, connect
from ._events import Counters, Event
from ._method import Method
from ._tls import Tls
from .errors import (
    ApplicationError,
    CalculateError,
    ConnectError,
    ConnectionClosed,
    DeadlineExceeded,
    DeclaredError,
    DomainError,
    Overloaded,
    ProtocolError,
    TransportError,
)

__all__ = [
    "ApplicationError",
    "Balancing",
    "CalculateError",
    "Client",
    "ConnectError",
    "ConnectionClosed",
    "Counters",
    "DeadlineExceeded",
    "DeclaredError",
    "DomainError",
    "Event",
    "Method",
    "Overloaded",
    "ProtocolError",
    "Tls",
    "TransportError",
    "aio",
    "connect",
]
