package calculate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import jdk.net.ExtendedSocketOptions;

/**
 * Connects to a target: its addresses one after the other, then TLS if it is wanted, within one
 * deadline.
 */
final class Connector {
  private static final Map<SocketOption<Integer>, Integer> KEEPALIVE =
      Map.of(
          ExtendedSocketOptions.TCP_KEEPIDLE, 15,
          ExtendedSocketOptions.TCP_KEEPINTERVAL, 5,
          ExtendedSocketOptions.TCP_KEEPCOUNT, 3);

  private Connector() {}

  /**
   * A transport that is ready for calls.
   *
   * @throws ConnectError if nobody takes the connection, or TLS fails
   * @throws DeadlineExceeded if the deadline passes first
   * @throws CalculateError if the thread is interrupted; it stays so
   * @throws IllegalArgumentException if TLS is to have a server name, and there is none
   */
  static Transport connect(Target target, Optional<Tls> tls, Deadline deadline) {
    Optional<TlsStream> stream = tls.map(each -> each.stream(target));
    SocketChannel socket = connect(target, deadline);
    return stream.isPresent()
        ? shakeHands(socket, stream.get(), target, deadline)
        : new PlainTransport(socket);
  }

  private static Transport shakeHands(
      SocketChannel socket, TlsStream stream, Target target, Deadline deadline) {
    try {
      return Handshake.shake(socket, stream, deadline);
    } catch (ClosedByInterruptException e) {
      throw Errors.interrupted(target, "connecting");
    } catch (SocketTimeoutException e) {
      throw Errors.handshakeTimedOut(target, deadline);
    } catch (TlsFault e) {
      throw Errors.handshakeFailed(target, e);
    } catch (IOException e) {
      throw Errors.connectFailed(target, e);
    }
  }

  private static SocketChannel connect(Target target, Deadline deadline) {
    try {
      return target instanceof Target.Unix unix
          ? open(unix, deadline)
          : openAny((Target.Tcp) target, deadline);
    } catch (ClosedByInterruptException e) {
      throw Errors.interrupted(target, "connecting");
    } catch (SocketTimeoutException e) {
      throw Errors.connectTimedOut(target, deadline);
    } catch (IOException e) {
      throw deadline.leftNanos() <= 0
          ? Errors.connectTimedOut(target, deadline)
          : Errors.connectFailed(target, e);
    }
  }

  private static SocketChannel openAny(Target.Tcp target, Deadline deadline) throws IOException {
    IOException failure = null;
    for (InetAddress address : addresses(target)) {
      long left = deadline.leftMillis();
      if (left <= 0) {
        break;
      }
      try {
        return open(new InetSocketAddress(address, target.port()), left);
      } catch (ClosedByInterruptException | SocketTimeoutException e) {
        throw e;
      } catch (IOException e) {
        failure = e;
      }
    }
    throw failure == null ? new SocketTimeoutException() : failure;
  }

  private static InetAddress[] addresses(Target.Tcp target) throws IOException {
    try {
      return InetAddress.getAllByName(target.host());
    } catch (UnknownHostException e) {
      throw new IOException("unknown host", e);
    }
  }

  private static SocketChannel open(InetSocketAddress address, long timeoutMillis)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    boolean connected = false;
    try {
      channel.socket().connect(address, (int) Math.min(timeoutMillis, Integer.MAX_VALUE));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      keepAlive(channel);
      channel.configureBlocking(false);
      connected = true;
      return channel;
    } finally {
      if (!connected) {
        channel.close();
      }
    }
  }

  /**
   * Has the kernel find out, while nobody calls, that a server has gone without a word, after half
   * a minute at most: a quarter of a minute without traffic, then a probe every 5 s, of which none
   * of three is answered. Until then these keep a firewall from forgetting the connection. The same
   * in every language; where a system does not know one of them, its own default holds.
   */
  private static void keepAlive(SocketChannel channel) throws IOException {
    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
    Set<SocketOption<?>> known = channel.supportedOptions();
    for (Map.Entry<SocketOption<Integer>, Integer> each : KEEPALIVE.entrySet()) {
      if (known.contains(each.getKey())) {
        channel.setOption(each.getKey(), each.getValue());
      }
    }
  }

  private static SocketChannel open(Target.Unix target, Deadline deadline) throws IOException {
    SocketChannel channel = openUnix();
    boolean connected = false;
    // While the server's backlog is full, connecting blocks, and nothing but this ends it.
    CompletableFuture<Void> closing =
        CompletableFuture.runAsync(() -> close(channel), at(deadline));
    try {
      channel.connect(UnixDomainSocketAddress.of(target.path()));
      channel.configureBlocking(false);
      connected = closing.cancel(false);
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (AsynchronousCloseException e) {
      // The deadline.
    } finally {
      if (!connected) {
        closing.cancel(false);
        channel.close();
      }
    }
    if (!connected) {
      throw new SocketTimeoutException();
    }
    return channel;
  }

  private static SocketChannel openUnix() throws IOException {
    try {
      return SocketChannel.open(StandardProtocolFamily.UNIX);
    } catch (UnsupportedOperationException e) {
      throw new IOException("this platform has no unix sockets", e);
    }
  }

  private static Executor at(Deadline deadline) {
    return CompletableFuture.delayedExecutor(
        Math.max(0, deadline.leftNanos()), TimeUnit.NANOSECONDS, Runnable::run);
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone all the same.
    }
  }
}
