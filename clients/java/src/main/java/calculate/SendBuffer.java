package calculate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.thrift.TConfiguration;

/**
 * Bytes on their way out: what is encoded joins at the end ({@link #write}, under the connection's
 * lock) while the one who sends works on what was taken before ({@link #take} under the lock,
 * {@link #send} without it).
 */
final class SendBuffer extends MemoryTransport {
  private static final int INITIAL_BYTES = 1024;
  private static final int FIRST_CHUNK_BYTES = 4 * 1024;
  private static final int KEPT_BYTES = 64 * 1024;

  private byte[] filling = new byte[INITIAL_BYTES];
  private int filled;

  private byte[] leaving = new byte[INITIAL_BYTES];
  private int leavingBytes;
  private int sent;

  /**
   * The kernel reads from here: a heap array would be copied by the JDK into such a buffer anyway.
   * It grows with what is sent at once, so that a connection with little to do takes little memory.
   */
  private ByteBuffer chunk = ByteBuffer.allocate(0);

  SendBuffer(TConfiguration configuration) {
    super(configuration);
  }

  int length() {
    return filled;
  }

  /** Takes back what joined since {@code length}. */
  void truncate(int length) {
    filled = length;
  }

  /** Adds {@code count} bytes to be written later with {@link #putI32}. */
  void reserve(int count) {
    makeRoom(count);
    filled += count;
  }

  void putI32(int at, int value) {
    BigEndian.putI32(filling, at, value);
  }

  @Override
  public void write(byte[] bytes, int from, int count) {
    makeRoom(count);
    System.arraycopy(bytes, from, filling, filled, count);
    filled += count;
  }

  /**
   * Hands all that joined to the sender; false if there is nothing. What was handed over before has
   * been sent.
   */
  boolean take() {
    if (filled == 0) {
      return false;
    }
    byte[] empty = leaving.length > KEPT_BYTES ? new byte[INITIAL_BYTES] : leaving;
    leaving = filling;
    leavingBytes = filled;
    sent = 0;
    filling = empty;
    filled = 0;
    return true;
  }

  /** What was taken last; its end is not marked. */
  byte[] leaving() {
    return leaving;
  }

  /** Sends what was taken; false if the transport takes no more for now. */
  boolean send(Transport transport) throws IOException {
    int wanted = Math.min(leavingBytes, KEPT_BYTES);
    if (!chunk.hasRemaining() && chunk.capacity() < wanted) {
      int powerOfTwo = Integer.highestOneBit(wanted - 1) * 2;
      chunk = ByteBuffer.allocateDirect(Math.max(FIRST_CHUNK_BYTES, powerOfTwo)).limit(0);
    }
    do {
      if (!chunk.hasRemaining()) {
        int count = Math.min(leavingBytes - sent, chunk.capacity());
        chunk.clear().put(leaving, sent, count).flip();
        sent += count;
      }
      if (!transport.write(chunk)) {
        return false;
      }
    } while (sent < leavingBytes);
    return true;
  }

  private void makeRoom(int count) {
    if (filling.length - filled < count) {
      filling =
          Arrays.copyOf(
              filling, Math.max(Math.addExact(filled, count), Math.min(filled, 1 << 30) * 2));
    }
  }
}
