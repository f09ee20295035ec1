package calculate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Bytes that came in and were not looked at yet. It grows with what really arrived, never with what
 * a message claims, and shrinks again when a long message is gone. Used by whoever has the reader's
 * role.
 */
final class ReceiveBuffer {
  private static final int INITIAL_BYTES = 1024;
  private static final int FIRST_CHUNK_BYTES = 4 * 1024;
  private static final int CHUNK_GROWTH = 4;
  private static final int KEPT_BYTES = 64 * 1024;

  /**
   * The kernel writes here: a heap array would be copied by the JDK from such a buffer anyway. It
   * grows when a read has filled it, so that a connection with little to do takes little memory.
   */
  private ByteBuffer chunk = ByteBuffer.allocateDirect(FIRST_CHUNK_BYTES);

  private boolean filled;

  private byte[] bytes = new byte[INITIAL_BYTES];
  private int from;
  private int to;

  /** Reads once what is there: how many bytes came, 0 if none wait, -1 at the end of the stream. */
  int readFrom(Transport transport) throws IOException {
    if (filled && chunk.capacity() < KEPT_BYTES) {
      growChunk();
    }
    chunk.clear();
    int count = transport.read(chunk);
    filled = !chunk.hasRemaining();
    if (count > 0) {
      makeRoom(count);
      chunk.flip().get(bytes, to, count);
      to += count;
    }
    return count;
  }

  byte[] bytes() {
    return bytes;
  }

  int from() {
    return from;
  }

  int to() {
    return to;
  }

  boolean isEmpty() {
    return from == to;
  }

  /** Whether the last read took all that it had room for, so that more may wait. */
  boolean lastReadWasFull() {
    return filled;
  }

  void consume(int end) {
    from = end;
    if (from == to) {
      from = 0;
      to = 0;
      if (bytes.length > 2 * KEPT_BYTES) {
        bytes = new byte[INITIAL_BYTES];
      }
    }
  }

  private void growChunk() {
    try {
      chunk = ByteBuffer.allocateDirect(chunk.capacity() * CHUNK_GROWTH);
    } catch (OutOfMemoryError e) {
      // It will do as it is.
    }
  }

  private void makeRoom(int count) {
    if (bytes.length - to >= count) {
      return;
    }
    System.arraycopy(bytes, from, bytes, 0, to - from);
    to -= from;
    from = 0;
    if (bytes.length - to < count) {
      bytes = Arrays.copyOf(bytes, Math.max(Math.addExact(to, count), Math.min(to, 1 << 30) * 2));
    }
  }
}
