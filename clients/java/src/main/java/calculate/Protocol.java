package calculate;

import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TTransport;

/** How a message is written as bytes. Client and server must agree on it. */
public enum Protocol {
  /** The binary protocol, strict: doc/specs/thrift-binary-protocol.md of Apache Thrift. */
  BINARY,

  /** The compact protocol: doc/specs/thrift-compact-protocol.md of Apache Thrift. */
  COMPACT;

  /**
   * The library's protocol on {@code transport}; what it reads never aliases the transport's
   * buffer.
   */
  TProtocol on(TTransport transport) {
    return this == BINARY
        ? new CopyingProtocols.Binary(transport)
        : new CopyingProtocols.Compact(transport);
  }
}
