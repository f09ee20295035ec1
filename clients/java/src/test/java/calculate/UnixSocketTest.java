package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that listens on a file of this machine. */
@Timeout(60)
class UnixSocketTest {
  @TempDir private Path folder;

  private Path path;
  private ServerSocketChannel listener;

  @BeforeEach
  void listen() throws Exception {
    path = folder.resolve("calculate.sock");
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(path), 1);
  }

  @AfterEach
  void close() throws Exception {
    listener.close();
  }

  @Test
  void calls_of_both_kinds_are_answered() throws Exception {
    try (CalculateClient client = CalculateClient.connect("unix:" + path);
        Peer peer = new Peer(listener.accept())) {
      var blocking = Background.run(() -> client.square(9));
      peer.answerRoot();
      assertEquals(3, Background.get(blocking));
      CompletableFuture<Double> asynchronous = client.squareAsync(16);
      peer.answerRoot();
      assertEquals(4, Background.get(asynchronous));
    }
  }

  @Test
  void a_lost_connection_is_replaced_by_the_next_call() throws Exception {
    try (CalculateClient client = CalculateClient.connect("unix:" + path)) {
      Peer first = new Peer(listener.accept());
      var lost = Background.run(() -> client.square(9));
      first.read();
      first.close();
      ConnectionClosed error = Background.failure(ConnectionClosed.class, lost);
      assertTrue(error.getMessage().contains("unix:" + path), error.getMessage());
      var next = Background.run(() -> client.square(16));
      try (Peer second = new Peer(listener.accept())) {
        second.answerRoot();
        assertEquals(4, Background.get(next));
      }
    }
  }

  @Test
  void closing_the_client_closes_the_connection() throws Exception {
    CalculateClient client = CalculateClient.connect("unix:" + path);
    try (Peer peer = new Peer(listener.accept())) {
      client.close();
      assertTrue(peer.isClosedByClient());
    }
  }

  @Test
  void a_server_that_does_not_accept_in_time_exceeds_the_deadline() throws Exception {
    List<SocketChannel> waiting = fill();
    Options options = Options.defaults().withTimeout(Duration.ofMillis(100));
    DeadlineExceeded error =
        assertThrows(
            DeadlineExceeded.class, () -> CalculateClient.connect("unix:" + path, options));
    assertTrue(error.getMessage().contains("within 0.1 s"), error.getMessage());
    for (SocketChannel channel : waiting) {
      channel.close();
    }
  }

  @Test
  void a_server_that_is_slow_to_accept_is_waited_for() throws Exception {
    List<SocketChannel> waiting = fill();
    var connecting = Background.run(() -> CalculateClient.connect("unix:" + path));
    for (SocketChannel channel : waiting) {
      listener.accept().close();
      channel.close();
    }
    try (CalculateClient client = Background.get(connecting);
        Peer peer = new Peer(listener.accept())) {
      var call = Background.run(() -> client.square(9));
      peer.answerRoot();
      assertEquals(3, Background.get(call));
    }
  }

  @Test
  void an_interrupt_ends_the_wait_for_a_server_that_does_not_accept() throws Exception {
    List<SocketChannel> waiting = fill();
    CompletableFuture<CalculateError> failure = new CompletableFuture<>();
    Thread thread =
        Background.start(
            () ->
                failure.complete(
                    assertThrows(
                        CalculateError.class, () -> CalculateClient.connect("unix:" + path))));
    thread.interrupt();
    assertTrue(Background.get(failure).getCause() instanceof InterruptedException);
    for (SocketChannel channel : waiting) {
      channel.close();
    }
  }

  @Test
  void a_missing_file_is_a_connect_error_that_names_it() {
    assertRefused(folder.resolve("none.sock"));
  }

  @Test
  void a_file_that_nobody_listens_on_any_more_is_a_connect_error() throws Exception {
    listener.close();
    assertTrue(Files.exists(path));
    assertRefused(path);
  }

  @Test
  void a_file_that_is_no_socket_is_a_connect_error() throws Exception {
    assertRefused(Files.writeString(folder.resolve("file"), "text"));
  }

  @Test
  void a_path_that_is_too_long_is_refused_before_anything_is_tried() {
    String longest = "unix:/" + "x".repeat(Target.MAX_PATH_BYTES - 1);
    assertThrows(ConnectError.class, () -> CalculateClient.connect(longest));
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> CalculateClient.connect(longest + "x"));
    String limit = "at most " + Target.MAX_PATH_BYTES;
    assertTrue(error.getMessage().contains(limit), error.getMessage());
  }

  private static void assertRefused(Path path) {
    ConnectError error =
        assertThrows(ConnectError.class, () -> CalculateClient.connect("unix:" + path));
    assertTrue(error.getMessage().contains("unix:" + path), error.getMessage());
    assertEquals(1, error.getMessage().lines().count());
  }

  /** Connects until the listener's backlog takes no more, so that the next connection waits. */
  private List<SocketChannel> fill() throws Exception {
    List<SocketChannel> waiting = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      waiting.add(SocketChannel.open(UnixDomainSocketAddress.of(path)));
    }
    return waiting;
  }
}
