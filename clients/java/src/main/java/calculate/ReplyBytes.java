package calculate;

import org.apache.thrift.TConfiguration;
import org.apache.thrift.transport.TTransportException;

/**
 * One reply, as the library's protocols read it: a window on the receive buffer. The protocols ask
 * it before they allocate for a string or a container whether so many bytes are there.
 */
final class ReplyBytes extends MemoryTransport {
  private byte[] bytes = {};
  private int at;
  private int end;

  ReplyBytes(TConfiguration configuration) {
    super(configuration);
  }

  void window(byte[] bytes, int from, int to) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  @Override
  public int read(byte[] into, int from, int count) {
    int taken = Math.min(count, end - at);
    System.arraycopy(bytes, at, into, from, taken);
    at += taken;
    return taken;
  }

  @Override
  public byte[] getBuffer() {
    return bytes;
  }

  @Override
  public int getBufferPosition() {
    return at;
  }

  @Override
  public int getBytesRemainingInBuffer() {
    return end - at;
  }

  @Override
  public void consumeBuffer(int count) {
    at += count;
  }

  @Override
  public void checkReadBytesAvailable(long count) throws TTransportException {
    if (count < 0 || count > end - at) {
      throw new TTransportException(
          TTransportException.MESSAGE_SIZE_LIMIT,
          "a size that exceeds the reply's bytes: " + count);
    }
  }
}
