package calculate;

import org.apache.thrift.protocol.TProtocolException;

/** A frame: its length in 4 bytes, then the message. */
final class FrameBoundary implements Boundary {
  private static final int HEADER_BYTES = 4;

  private final int maxMessageBytes;

  FrameBoundary(int maxMessageBytes) {
    this.maxMessageBytes = maxMessageBytes;
  }

  @Override
  public int end(byte[] bytes, int from, int to) throws TProtocolException {
    if (to - from < HEADER_BYTES) {
      return INCOMPLETE;
    }
    int length = BigEndian.i32(bytes, from);
    if (length <= 0 || length > maxMessageBytes) {
      throw new TProtocolException(
          TProtocolException.SIZE_LIMIT,
          "a frame of "
              + Integer.toUnsignedString(length)
              + " bytes (allowed: 1 to "
              + maxMessageBytes
              + ")");
    }
    return to - from - HEADER_BYTES < length ? INCOMPLETE : from + HEADER_BYTES + length;
  }

  @Override
  public int headerBytes() {
    return HEADER_BYTES;
  }
}
