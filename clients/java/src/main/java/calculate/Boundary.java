package calculate;

import org.apache.thrift.protocol.TProtocolException;

/**
 * Finds where each reply ends. It holds the progress within one message, so each connection has its
 * own.
 */
interface Boundary {
  /** More bytes are needed. */
  int INCOMPLETE = -1;

  /**
   * The end of the message that begins at {@code from}, or {@link #INCOMPLETE}. After INCOMPLETE it
   * is called again for the same message with more bytes (which may have moved in between); work is
   * linear in the bytes.
   *
   * @throws TProtocolException if the bytes are no message, or one longer than allowed
   */
  int end(byte[] bytes, int from, int to) throws TProtocolException;

  /** How many bytes stand before the message itself. */
  int headerBytes();
}
