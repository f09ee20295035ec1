"""This project's Python client, blocking (``calculate``) and asyncio (``calculate-aio``): ``call`` with any ``Method``."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "gen"), str(HERE.parents[2] / "clients" / "python" / "src")]

import apache
import calculate
import calculate.aio
import cases
from calculate import Method
from conformance import Conformance, ConformanceBase, ConformanceOther
from conformance_uuid import ConformanceUuid
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer


class Caller:
    """One blocking client."""

    types = apache.Caller.types

    def __init__(self, arguments):
        framing, _, protocol = arguments.encoding.partition("-")
        if framing not in ("framed", "unframed") or protocol not in ("binary", "compact"):
            cases.unsupported(f"this client does not speak {arguments.encoding}")
        self.server = arguments.server
        self.options = {"framing": framing, "protocol": protocol}
        if arguments.tls_ca:
            self.options["tls"] = calculate.Tls(ca=arguments.tls_ca)
        self.client = None
        self.reconnect()

    def reconnect(self):
        if self.client is not None:
            self.client.close()
        self.client = calculate.connect(self.server, **self.options)

    def call(self, method, arguments):
        return self.client.call(method, arguments)

    def __getattr__(self, name):
        """A method of the IDL, with the generated classes that describe it."""
        service = next(
            s for s in (ConformanceUuid, Conformance, ConformanceBase, ConformanceOther) if hasattr(s, f"{name}_args")
        )
        return self.method(service, name)

    def method(self, service, name):
        args, result = getattr(service, f"{name}_args"), getattr(service, f"{name}_result", None)
        method = Method.oneway(name, args) if result is None else Method(name, args, result)
        return lambda *values, **named: self.call(method, args(*values, **named))

    def decode(self, name, content):
        value = self.types[name]()
        value.read(TBinaryProtocol(TMemoryBuffer(content)))
        return value

    def newer(self, everything):
        return self.method(ConformanceOther, "DescribeNarrow")(everything)

    def older(self, name):
        return self.method(ConformanceOther, "Compose")(name)

    def missing(self):
        try:
            return f"an answer, {self.method(ConformanceOther, 'Missing')(1)}"
        except calculate.ApplicationError as error:
            return error.code

    def sequence_ids(self):
        """This client chooses them and checks them: calls in flight together must each get their own answer."""
        texts = [f"call {i}" for i in range(500)]
        with ThreadPoolExecutor(8) as threads:
            cases.expect("echoes", list(threads.map(self.EchoString, texts)), texts)

    def words(self, error):
        if isinstance(error, calculate.ApplicationError):
            return f"TApplicationException {error.code}"
        declared = isinstance(error, calculate.DeclaredError)
        return cases.words(error.exception if declared else error, self.types, ())


class AsyncCaller(Caller):
    """One asyncio client, on a loop of its own."""

    def reconnect(self):
        if self.client is None:
            self.loop = asyncio.new_event_loop()
        else:
            self.loop.run_until_complete(self.client.close())
        self.client = self.loop.run_until_complete(self.connect())

    async def connect(self):
        return await calculate.aio.connect(self.server, **self.options)

    def call(self, method, arguments):
        return self.loop.run_until_complete(self.client.call(method, arguments))

    def sequence_ids(self):
        method = Method("EchoString", Conformance.EchoString_args, Conformance.EchoString_result)
        texts = [f"call {i}" for i in range(500)]

        async def echo():
            return await asyncio.gather(*(self.client.call(method, method.args(text)) for text in texts))

        cases.expect("echoes", self.loop.run_until_complete(echo()), texts)


if __name__ == "__main__":
    parsed = cases.arguments()
    caller = AsyncCaller if parsed.runtime == "calculate-aio" else Caller
    cases.main(caller(parsed), parsed.vectors)
