package calculate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * What carries a connection's bytes: its socket as it is, or TLS on it. Nothing here blocks. One
 * thread may write while another reads.
 */
interface Transport {
  /** The socket, to wait for what it is ready for. */
  SocketChannel socket();

  /**
   * Reads what is there: how many bytes, 0 if none wait, -1 at the end. If room is left, nothing
   * more waits that the socket does not announce, but for an end.
   */
  int read(ByteBuffer into) throws IOException;

  /** Whether the end, or a fault, has come and is to be read still: the socket may not say so. */
  boolean hasEnded();

  /**
   * Writes all; false if the socket takes no more for now. Then this is to be called again with
   * what is left of it, even if that is nothing, when the socket has room.
   */
  boolean write(ByteBuffer from) throws IOException;

  /** Whether something waits for room in the socket that {@link #write} did not tell of. */
  boolean wantsRoom();

  /** Closes the socket; the server is told if the transport can. */
  void close() throws IOException;
}
