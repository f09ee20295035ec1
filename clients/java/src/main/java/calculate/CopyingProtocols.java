package calculate;

import java.nio.ByteBuffer;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.transport.TTransport;

/**
 * The library's protocols, except that a {@code binary} field is copied out of the buffer: the
 * library hands out a view of it, and ours is used again for the next reply.
 */
final class CopyingProtocols {
  private CopyingProtocols() {}

  static final class Binary extends TBinaryProtocol {
    Binary(TTransport transport) {
      super(transport, true, true);
    }

    @Override
    public ByteBuffer readBinary() throws TException {
      return copy(super.readBinary());
    }
  }

  static final class Compact extends TCompactProtocol {
    Compact(TTransport transport) {
      super(transport);
    }

    @Override
    public ByteBuffer readBinary() throws TException {
      return copy(super.readBinary());
    }
  }

  private static ByteBuffer copy(ByteBuffer view) {
    byte[] bytes = new byte[view.remaining()];
    view.get(bytes);
    return ByteBuffer.wrap(bytes);
  }
}
