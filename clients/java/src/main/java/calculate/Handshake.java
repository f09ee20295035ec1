package calculate;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/** What makes TLS of a connected socket, within a deadline. */
final class Handshake {
  private Handshake() {}

  /**
   * The socket with TLS on it. If that fails, the socket is closed.
   *
   * @throws TlsFault if the two sides do not agree
   * @throws SocketTimeoutException if the deadline passes first
   * @throws ClosedByInterruptException if the thread is interrupted; it stays so
   */
  static Transport shake(SocketChannel socket, TlsStream stream, Deadline deadline)
      throws IOException {
    TlsTransport transport = new TlsTransport(socket, stream);
    boolean done = false;
    try (Selector selector = Selector.open()) {
      SelectionKey key = socket.register(selector, 0);
      int wanted;
      while ((wanted = transport.shakeHands()) != 0) {
        key.interestOps(wanted);
        await(selector, deadline);
      }
      done = true;
      return transport;
    } finally {
      if (!done) {
        socket.close();
      }
    }
  }

  private static void await(Selector selector, Deadline deadline) throws IOException {
    long left = deadline.leftMillis();
    if (left <= 0) {
      throw new SocketTimeoutException();
    }
    selector.select(ready -> {}, left);
    if (Thread.currentThread().isInterrupted()) {
      throw new ClosedByInterruptException();
    }
  }
}
