package calculate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * A socket as it is.
 *
 * @param socket connected, does not block
 */
record PlainTransport(SocketChannel socket) implements Transport {
  @Override
  public int read(ByteBuffer into) throws IOException {
    return socket.read(into);
  }

  @Override
  public boolean hasEnded() {
    return false;
  }

  @Override
  public boolean write(ByteBuffer from) throws IOException {
    if (from.hasRemaining()) {
      socket.write(from);
    }
    return !from.hasRemaining();
  }

  @Override
  public boolean wantsRoom() {
    return false;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
