package calculate;

import org.apache.thrift.TConfiguration;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;

/**
 * Memory that the library's protocols read from or write to: always open, with nothing to flush,
 * and without the library's own counting of bytes, as the limits are enforced where the bytes are.
 */
abstract class MemoryTransport extends TTransport {
  private final TConfiguration configuration;

  MemoryTransport(TConfiguration configuration) {
    this.configuration = configuration;
  }

  @Override
  public int read(byte[] into, int from, int count) throws TTransportException {
    throw new TTransportException(TTransportException.NOT_OPEN, "only written to");
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws TTransportException {
    throw new TTransportException(TTransportException.NOT_OPEN, "only read from");
  }

  @Override
  public final TConfiguration getConfiguration() {
    return configuration;
  }

  @Override
  public final boolean isOpen() {
    return true;
  }

  @Override
  public final void open() {}

  @Override
  public final void close() {}

  @Override
  public void checkReadBytesAvailable(long count) throws TTransportException {}

  @Override
  public final void updateKnownMessageSize(long size) {}

  @Override
  public final void resetMessageSizeAndConsumedBytes(long size) {}
}
