package calculate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SocketChannel;

/** Opens sockets to a target: its addresses one after the other, within one deadline. */
final class Connector {
  private Connector() {}

  /**
   * A connected, non-blocking channel.
   *
   * @throws ConnectError if no address takes the connection
   * @throws DeadlineExceeded if the deadline passes first
   * @throws CalculateError if the thread is interrupted; it stays so
   */
  static SocketChannel connect(Target target, Deadline deadline) {
    IOException failure = null;
    for (InetAddress address : addresses(target)) {
      long left = deadline.leftMillis();
      if (left <= 0) {
        break;
      }
      try {
        return open(new InetSocketAddress(address, target.port()), left);
      } catch (ClosedByInterruptException e) {
        throw Errors.interrupted(target, "connecting");
      } catch (SocketTimeoutException e) {
        break;
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure == null || deadline.leftNanos() <= 0) {
      throw Errors.connectTimedOut(target, deadline);
    }
    throw Errors.connectFailed(target, failure);
  }

  private static InetAddress[] addresses(Target target) {
    try {
      return InetAddress.getAllByName(target.host());
    } catch (UnknownHostException e) {
      throw Errors.connectFailed(target, new IOException("unknown host", e));
    }
  }

  private static SocketChannel open(InetSocketAddress address, long timeoutMillis)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    boolean connected = false;
    try {
      channel.socket().connect(address, (int) Math.min(timeoutMillis, Integer.MAX_VALUE));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      channel.configureBlocking(false);
      connected = true;
      return channel;
    } finally {
      if (!connected) {
        channel.close();
      }
    }
  }
}
