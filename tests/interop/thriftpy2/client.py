"""thriftpy2, unmodified: its protocols and transports in Python (``python``), and those in Cython (``cython``).

It reads the IDL when it runs; there is no generated code.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "python"))

import ssl

import cases
import thriftpy2
from thriftpy2.parser.exc import ThriftParserError
from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.protocol.compact import TCompactProtocol
from thriftpy2.protocol.cybin import TCyBinaryProtocol
from thriftpy2.protocol.multiplex import TMultiplexedProtocol
from thriftpy2.thrift import TApplicationException, TClient, TMessageType
from thriftpy2.transport.buffered import TBufferedTransport, TCyBufferedTransport
from thriftpy2.transport.framed import TCyFramedTransport, TFramedTransport
from thriftpy2.transport.memory import TMemoryBuffer
from thriftpy2.transport.socket import TSocket
from thriftpy2.transport.sslsocket import TSSLSocket

IDL_FOLDER = HERE.parents[2] / "idl"
IDL = thriftpy2.load(str(IDL_FOLDER / "conformance.thrift"), module_name="conformance_thrift")
try:
    WITH_UUID = thriftpy2.load(str(IDL_FOLDER / "conformance_uuid.thrift"), module_name="conformance_uuid_thrift")
    SERVICE = WITH_UUID.ConformanceUuid
except ThriftParserError:
    WITH_UUID, SERVICE = None, IDL.Conformance
TIMEOUT_MS = 10_000

PROTOCOLS = {
    ("python", "binary"): TBinaryProtocol,
    ("python", "nonstrict"): lambda transport: TBinaryProtocol(transport, strict_read=False, strict_write=False),
    ("python", "compact"): TCompactProtocol,
    ("cython", "binary"): TCyBinaryProtocol,
    ("cython", "nonstrict"): lambda transport: TCyBinaryProtocol(transport, strict_read=False, strict_write=False),
    ("cython", "compact"): TCompactProtocol,
}
TRANSPORTS = {
    ("python", "framed"): TFramedTransport,
    ("python", "unframed"): TBufferedTransport,
    ("cython", "framed"): TCyFramedTransport,
    ("cython", "unframed"): TCyBufferedTransport,
}


class Caller:
    """One connection, and a client of the service on it."""

    types = vars(IDL)

    def __init__(self, arguments):
        framing, _, protocol = arguments.encoding.partition("-")
        protocol, _, multiplexed = protocol.partition("-")
        runtime = arguments.runtime
        if (runtime, protocol) not in PROTOCOLS or (runtime, framing) not in TRANSPORTS:
            cases.unsupported(f"thriftpy2 does not speak {arguments.encoding}")
        self.arguments, self.multiplexed = arguments, bool(multiplexed)
        self.new_transport, self.new_protocol = TRANSPORTS[runtime, framing], PROTOCOLS[runtime, protocol]
        self.transport = None
        self.reconnect()

    def reconnect(self):
        if self.transport is not None:
            self.transport.close()
        host, port = self.arguments.server.rsplit(":", 1)
        if self.arguments.tls_ca:
            context = ssl.create_default_context(cafile=self.arguments.tls_ca)
            socket = TSSLSocket(host, int(port), socket_timeout=TIMEOUT_MS, ssl_context=context)
        else:
            socket = TSocket(host, int(port), socket_timeout=TIMEOUT_MS)
        self.transport = self.new_transport(socket)
        self.protocol = self.new_protocol(self.transport)
        if self.multiplexed:
            self.protocol = TMultiplexedProtocol(self.protocol, "Conformance")
        self.client = TClient(SERVICE, self.protocol)
        self.other = TClient(IDL.ConformanceOther, self.protocol)
        self.transport.open()

    def __getattr__(self, method):
        return getattr(self.client, method)

    def decode(self, name, content):
        value = (getattr(IDL, name, None) or getattr(WITH_UUID, name))()
        value.read(TBinaryProtocol(TMemoryBuffer(content)))
        return value

    def newer(self, everything):
        return self.other.DescribeNarrow(everything)

    def older(self, name):
        return self.other.Compose(name)

    def missing(self):
        try:
            return f"an answer, {self.other.Missing(1)}"
        except TApplicationException as error:
            return error.type

    def sequence_ids(self):
        """The library sends 0 and does not look: here it is done by hand."""
        # Its compact protocol would write a negative one for ever.
        negative = () if "compact" in self.arguments.encoding else (-1, -(2**31))
        for sequence_id in (0, 1, 77, 2**31 - 1, *negative):
            self.protocol.write_message_begin("Ping", TMessageType.CALL, sequence_id)
            IDL.Conformance.Ping_args().write(self.protocol)
            self.protocol.write_message_end()
            self.transport.flush()
            reply = self.protocol.read_message_begin()
            IDL.Conformance.Ping_result().read(self.protocol)
            self.protocol.read_message_end()
            cases.expect("reply", tuple(reply), ("Ping", TMessageType.REPLY, sequence_id))

    def words(self, error):
        return cases.words(error, self.types, TApplicationException)


if __name__ == "__main__":
    parsed = cases.arguments()
    cases.main(Caller(parsed), parsed.vectors)
