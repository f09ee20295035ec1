package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** A connection that ends fails what is in flight and is replaced by the next call. */
class LostConnectionTest extends ConnectedClient {
  @Test
  void a_connection_closed_while_idle_is_replaced_without_an_error() throws Exception {
    for (int i = 0; i < 20; i++) {
      closeIdle();
      var call = Background.run(() -> client.square(9));
      peer = server.accept();
      peer.answerRoot();
      assertEquals(3, Background.get(call));
    }
  }

  @Test
  void an_asynchronous_call_replaces_a_closed_connection_too() throws Exception {
    for (int i = 0; i < 20; i++) {
      closeIdle();
      CompletableFuture<Double> call = client.squareAsync(9);
      peer = server.accept();
      peer.answerRoot();
      assertEquals(3, Background.get(call));
    }
  }

  @Test
  void a_connection_with_unasked_bytes_is_replaced_before_a_call_goes_there() throws Exception {
    peer.send(new byte[] {0, 0, 0, 1, 0});
    // The bytes are in the client's socket when the call is made: the kernel delivers loopback
    // bytes within the write.
    var call = Background.run(() -> client.square(9));
    peer = server.accept();
    peer.answerRoot();
    assertEquals(3, Background.get(call));
  }

  @Test
  void every_call_in_flight_fails_when_the_server_closes() throws Exception {
    List<CompletableFuture<Double>> calls = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      calls.add(client.squareAsync(i));
      calls.add(Background.run(() -> client.square(9)));
    }
    for (int i = 0; i < 8; i++) {
      peer.read();
    }
    peer.close();
    for (CompletableFuture<Double> call : calls) {
      Background.failure(ConnectionClosed.class, call);
    }
  }

  @Test
  void a_lone_blocking_call_fails_when_the_server_closes() throws Exception {
    var call = Background.run(() -> client.square(9));
    peer.read();
    peer.close();
    Background.failure(ConnectionClosed.class, call);
  }

  @Test
  void nothing_is_sent_twice() throws Exception {
    var call = Background.run(() -> client.square(9));
    peer.read();
    peer.close();
    Background.failure(ConnectionClosed.class, call);
    var next = Background.run(() -> client.square(16));
    Peer second = server.accept();
    assertEquals(16, second.read().value());
    second.close();
    Background.failure(ConnectionClosed.class, next);
  }

  @Test
  void a_server_that_closes_every_connection_at_once_is_told_of() throws Exception {
    peer.close();
    var call = Background.run(() -> client.square(9));
    server.accept().close();
    // TLS may hear of it with the last of the handshake.
    TransportError error = Background.failure(TransportError.class, call);
    assertTrue(error instanceof ConnectionClosed || tls() != null, error.toString());
  }

  @Test
  void a_server_that_is_gone_is_a_connect_error() throws Exception {
    server.close();
    assertThrows(ConnectError.class, () -> client.square(9));
    Background.failure(ConnectError.class, client.squareAsync(9));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void the_kernel_watches_an_idle_connection() throws Exception {
    String port = ":%04X".formatted(Integer.parseInt(server.address().split(":")[1]));
    List<String> timers = new ArrayList<>();
    for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      for (String line : Files.readAllLines(Path.of(table))) {
        String[] cells = line.strip().split(" +");
        if (cells[2].endsWith(port) && cells[3].equals("01")) { // established
          timers.add(cells[5]);
        }
      }
    }
    assertEquals(1, timers.size(), timers::toString);
    assertEquals("02", timers.get(0).split(":")[0], "the timer of keepalive");
    int hundredths = Integer.parseInt(timers.get(0).split(":")[1], 16);
    assertTrue(1000 <= hundredths && hundredths <= 1500, timers::toString);
  }

  /** Closes long enough after the last reply for the client to look before its next call. */
  private void closeIdle() throws Exception {
    Thread.sleep(1);
    peer.close();
  }
}
