"""Apache's Python library (thrift on PyPI), unmodified: the protocols in Python, and those in C (``accelerated``)."""

import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "gen"))

import cases
import conformance_uuid.ttypes
import conformance.ttypes
from conformance import Conformance, ConformanceBase, ConformanceOther
from conformance_uuid import ConformanceUuid
from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolAccelerated
from thrift.protocol.TCompactProtocol import TCompactProtocol, TCompactProtocolAccelerated
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.protocol.THeaderProtocol import THeaderProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport.THeaderTransport import THeaderClientType, THeaderSubprotocolID, THeaderTransformID
from thrift.transport.TSocket import TSocket
from thrift.transport.TSSLSocket import TSSLSocket
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport, TMemoryBuffer

PROTOCOLS = {
    ("apache", "binary"): TBinaryProtocol,
    ("apache", "compact"): TCompactProtocol,
    ("accelerated", "binary"): lambda transport: TBinaryProtocolAccelerated(transport, fallback=False),
    ("accelerated", "compact"): lambda transport: TCompactProtocolAccelerated(transport, fallback=False),
    ("apache", "nonstrict"): lambda transport: TBinaryProtocol(transport, strictRead=False, strictWrite=False),
    ("accelerated-theader", "binary"): lambda transport: headers(transport, THeaderSubprotocolID.BINARY),
    ("accelerated-theader", "compact"): lambda transport: headers(transport, THeaderSubprotocolID.COMPACT),
}
TRANSPORTS = {"framed": TFramedTransport, "unframed": TBufferedTransport, "theader": TBufferedTransport}


def headers(transport, protocol):
    return THeaderProtocol(transport, [THeaderClientType.HEADERS], protocol)


class Caller:
    """One connection, and the service's generated clients on it."""

    types = {**vars(conformance.ttypes), "Identified": conformance_uuid.ttypes.Identified}

    def __init__(self, arguments):
        framing, protocol, *self.extras = arguments.encoding.split("-")
        self.arguments = arguments
        # Its THeader is in Python, around the protocols in C.
        which = arguments.runtime + ("-theader" if framing == "theader" else ""), protocol
        if which not in PROTOCOLS or framing not in TRANSPORTS:
            cases.unsupported(f"{arguments.runtime} does not speak {arguments.encoding}")
        self.framing, self.new_protocol = TRANSPORTS[framing], PROTOCOLS[which]
        self.transport = None
        self.reconnect()

    def reconnect(self):
        if self.transport is not None:
            self.transport.close()
        host, port = self.arguments.server.rsplit(":", 1)
        if self.arguments.tls_ca:
            socket = TSSLSocket(host, int(port), cert_reqs=ssl.CERT_REQUIRED, ca_certs=self.arguments.tls_ca)
        else:
            socket = TSocket(host, int(port))
        socket.setTimeout(10_000)
        self.transport = self.framing(socket)
        self.protocol = self.new_protocol(self.transport)
        if "zlib" in self.extras:
            self.protocol.add_transform(THeaderTransformID.ZLIB)
        if "multiplexed" in self.extras:
            self.protocol = TMultiplexedProtocol(self.protocol, "Conformance")
        self.client = ConformanceUuid.Client(self.protocol)
        self.other = ConformanceOther.Client(self.protocol)
        self.transport.open()

    def __getattr__(self, method):
        return getattr(self.client, method)

    def decode(self, name, content):
        value = self.types[name]()
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
        """Apache's generated Python sends 0 and does not look: here it is done by hand."""
        for sequence_id in (0, 1, 77, 2**31 - 1, -1, -(2**31)):
            self.protocol.writeMessageBegin("Ping", TMessageType.CALL, sequence_id)
            ConformanceBase.Ping_args().write(self.protocol)
            self.protocol.writeMessageEnd()
            self.protocol.trans.flush()
            reply = self.protocol.readMessageBegin()
            ConformanceBase.Ping_result().read(self.protocol)
            self.protocol.readMessageEnd()
            cases.expect("reply", reply, ("Ping", TMessageType.REPLY, sequence_id))

    def words(self, error):
        return cases.words(error, self.types, TApplicationException)


if __name__ == "__main__":
    parsed = cases.arguments()
    cases.main(Caller(parsed), parsed.vectors)
