package calculate;

import java.io.EOFException;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TMessageType;

/** A server that answers every call with the same number, by which it is known; or refuses it. */
final class ValueServer implements AutoCloseable {
  /** How it answers. */
  enum Mood {
    WELL,
    OVERLOADED,
    SILENT,
    GARBLED,
    UNKNOWN_METHOD
  }

  final AtomicInteger connections = new AtomicInteger();

  /** Of these connections. */
  final AtomicInteger ended = new AtomicInteger();

  final AtomicInteger calls = new AtomicInteger();

  /** That were asked for by name. */
  final Set<String> services = ConcurrentHashMap.newKeySet();

  volatile Mood mood = Mood.WELL;

  private final double value;
  private final FakeServer server = new FakeServer();

  ValueServer(double value) throws IOException {
    this.value = value;
    Background.start(this::acceptAll);
  }

  String address() {
    return server.address();
  }

  int port() {
    return server.port();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  private void acceptAll() {
    try {
      while (true) {
        Peer peer = server.accept();
        connections.incrementAndGet();
        Background.start(() -> answerAll(peer));
      }
    } catch (Exception e) {
      // Closed.
    }
  }

  private void answerAll(Peer peer) {
    try (peer) {
      while (true) {
        answer(peer, peer.read());
      }
    } catch (EOFException e) {
      // The client has gone.
    } catch (IOException | TException e) {
      // It is closed, or waited long.
    }
    ended.incrementAndGet();
  }

  private void answer(Peer peer, Peer.Request request) throws IOException, TException {
    calls.incrementAndGet();
    services.add(request.service());
    switch (mood) {
      case WELL -> peer.reply(request, value);
      case OVERLOADED -> refuse(peer, request, Errors.LOADSHEDDING);
      case UNKNOWN_METHOD -> refuse(peer, request, TApplicationException.UNKNOWN_METHOD);
      case GARBLED -> peer.send(new byte[] {0, 0, 0, 4, 1, 2, 3, 4});
      case SILENT -> {}
    }
  }

  private static void refuse(Peer peer, Peer.Request request, int code)
      throws IOException, TException {
    var refusal = new TApplicationException(code, "no");
    peer.send(Peer.frame(request.method(), TMessageType.EXCEPTION, request.id(), refusal));
  }
}
