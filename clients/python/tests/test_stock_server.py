"""Apache's own Python server understands this client, and this client understands it."""

from __future__ import annotations

import logging
import math
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from thrift.protocol.TBinaryProtocol import TBinaryProtocolFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolFactory
from thrift.server.TServer import TThreadedServer
from thrift.transport.TSocket import TServerSocket
from thrift.transport.TTransport import TBufferedTransportFactory, TFramedTransportFactory

from calculate import ApplicationError, DomainError
from calculate._gen import Calculate
from calculate._gen.ttypes import DomainError as GeneratedDomainError
from calculate._gen.ttypes import Number

TRANSPORTS = {"framed": TFramedTransportFactory, "unframed": TBufferedTransportFactory}
PROTOCOLS = {"binary": TBinaryProtocolFactory, "compact": TCompactProtocolFactory}


class Handler:
    def Square(self, number: Number) -> Number:  # noqa: N802 - the IDL's name
        if number.value < 0:
            raise GeneratedDomainError(f"Square is not defined for {number.value:g}", number.value)
        if number.value == 13:
            raise RuntimeError("a fault")
        return Number(math.sqrt(number.value))

    def Cal(self, number: Number) -> Number:  # noqa: N802 - the IDL's name
        return Number(number.value * number.value)


@pytest.fixture(params=["framed", "unframed"])
def framing(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["binary", "compact"])
def protocol(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def stock_server(framing: str, protocol: str) -> Iterator[str]:
    listener = TServerSocket("127.0.0.1", 0)
    listener.listen()
    server = TThreadedServer(Calculate.Processor(Handler()), listener, TRANSPORTS[framing](), PROTOCOLS[protocol]())

    def serve() -> None:
        # As TThreadedServer.serve, which cannot be stopped: it tries a closed listener again for ever.
        while True:
            try:
                client = listener.accept()
            except OSError:
                return
            threading.Thread(target=server.handle, args=(client,), daemon=True).start()

    logging.disable(logging.CRITICAL)
    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.handle.getsockname()[1]}"
    listener.handle.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()
    logging.disable(logging.NOTSET)


def test_calls_and_errors(caller: Any, stock_server: str, framing: str, protocol: str) -> None:
    with caller.connect(stock_server, framing=framing, protocol=protocol) as client:
        assert client.square(9.0) == 3.0
        assert client.cal(3.0) == 9.0
        with pytest.raises(DomainError) as caught:
            client.square(-4.0)
        assert (caught.value.message, caught.value.value) == ("Square is not defined for -4", -4.0)
        with pytest.raises(ApplicationError) as refused:
            client.square(13.0)
        assert refused.value.code == 6
        assert client.square(2.0) == math.sqrt(2)


def test_threads(stock_server: str, framing: Any, protocol: Any) -> None:
    import calculate

    with calculate.connect(stock_server, framing=framing, protocol=protocol) as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client.cal, map(float, range(400)))) == [float(n * n) for n in range(400)]
