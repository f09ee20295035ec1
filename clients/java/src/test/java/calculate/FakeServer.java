package calculate;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A server whose every byte the test decides, but for those of its TLS, if it has any. */
final class FakeServer implements AutoCloseable {
  private static final int TIMEOUT_MILLIS = 10_000;

  private final ServerSocket listener;

  /** Peers whose handshakes are done. */
  private final BlockingQueue<Peer> shaken = new LinkedBlockingQueue<>();

  /** What is to be closed in the end. */
  private final List<Closeable> open = new ArrayList<>();

  /** Null for none. */
  private final ServerTls tls;

  private volatile boolean stopped;

  FakeServer() throws IOException {
    this(null);
  }

  FakeServer(ServerTls tls) throws IOException {
    this.tls = tls;
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    listener.setSoTimeout(TIMEOUT_MILLIS);
    if (tls != null) {
      // A client waits for the handshake before its test can accept it.
      Background.start(this::shakeHands);
    }
  }

  String address() {
    return "127.0.0.1:" + port();
  }

  int port() {
    return listener.getLocalPort();
  }

  /** Answers every call of every connection, until it is closed. */
  void answerAll() {
    Background.start(
        () -> {
          while (!listener.isClosed()) {
            try {
              Peer peer = shaken.take();
              Background.run(
                  () -> {
                    while (true) {
                      peer.answerRoot();
                    }
                  });
            } catch (InterruptedException e) {
              return;
            }
          }
        });
  }

  /** From now on connections are left to wait in the handshake. */
  void stopShakingHands() {
    stopped = true;
  }

  Peer accept() throws Exception {
    if (tls != null) {
      Peer peer = shaken.poll(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
      assertNotNull(peer, "nobody connects, or no handshake succeeds");
      return peer;
    }
    Peer peer = new Peer(listener.accept());
    keep(peer);
    return peer;
  }

  @Override
  public void close() throws IOException {
    listener.close();
    synchronized (open) {
      // A peer before its socket, so that it can end its TLS.
      for (int i = open.size() - 1; i >= 0; i--) {
        open.get(i).close();
      }
    }
  }

  private void shakeHands() {
    while (!listener.isClosed()) {
      try {
        Socket socket = listener.accept();
        keep(socket);
        if (stopped) {
          continue;
        }
        socket.setSoTimeout(TIMEOUT_MILLIS);
        Peer peer = tls.accept(socket);
        keep(peer);
        shaken.add(peer);
      } catch (Exception e) {
        // The client's side is what tests look at.
      }
    }
  }

  private void keep(Closeable each) {
    synchronized (open) {
      open.add(each);
    }
  }
}
