package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.thrift.protocol.TMessageType;
import org.junit.jupiter.api.Test;

/** A call that its reply does not reach in time ends, and harms no other. */
class TimeoutTest extends ConnectedClient {
  private static final Duration SHORT = Duration.ofMillis(50);

  @Test
  void a_blocking_call_ends_at_its_deadline() {
    long start = System.nanoTime();
    DeadlineExceeded error = assertThrows(DeadlineExceeded.class, () -> client.square(9, SHORT));
    assertTrue(System.nanoTime() - start >= SHORT.toNanos());
    assertTrue(error.getMessage().contains("within 0.05 s"), error.getMessage());
  }

  @Test
  void an_asynchronous_call_ends_at_its_deadline() {
    long start = System.nanoTime();
    Background.failure(DeadlineExceeded.class, client.squareAsync(9, SHORT));
    assertTrue(System.nanoTime() - start >= SHORT.toNanos());
  }

  @Test
  void a_silent_connection_is_retired_and_closed_with_its_last_call() throws Exception {
    assertThrows(DeadlineExceeded.class, () -> client.square(9, SHORT));
    peer.read();
    assertTrue(peer.isClosedByClient());
    var next = Background.run(() -> client.square(16));
    server.accept().answerRoot();
    assertEquals(4, Background.get(next));
  }

  @Test
  void a_retired_connection_serves_the_calls_that_are_on_it() throws Exception {
    CompletableFuture<Double> patient = client.squareAsync(4);
    Peer.Request slow = peer.read();
    Background.failure(DeadlineExceeded.class, client.squareAsync(9, SHORT));
    peer.read();
    CompletableFuture<Double> next = client.squareAsync(16);
    server.accept().answerRoot();
    assertEquals(4, Background.get(next));
    peer.reply(slow, 2);
    assertEquals(2, Background.get(patient));
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void a_retired_connection_serves_blocking_calls_too() throws Exception {
    var patient = Background.run(() -> client.square(4));
    Peer.Request slow = peer.read();
    assertThrows(DeadlineExceeded.class, () -> client.square(9, SHORT));
    peer.read();
    var next = Background.run(() -> client.square(16));
    server.accept().answerRoot();
    assertEquals(4, Background.get(next));
    peer.reply(slow, 2);
    assertEquals(2, Background.get(patient));
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void a_late_reply_is_dropped_and_later_calls_get_their_own() throws Exception {
    CompletableFuture<Double> late = client.squareAsync(100, Duration.ofMillis(300));
    Peer.Request lateRequest = peer.read();
    // Something arrives after the call was sent: the connection is not a dead one.
    CompletableFuture<Double> other = client.squareAsync(4);
    peer.answerRoot();
    assertEquals(2, Background.get(other));
    Background.failure(DeadlineExceeded.class, late);

    var next = Background.run(() -> client.square(9));
    Peer.Request request = peer.read();
    peer.reply(lateRequest, 10);
    peer.reply(request, 3);
    assertEquals(3, Background.get(next));
    assertFalse(peer.hasMore());
  }

  @Test
  void a_late_reply_that_waits_in_the_socket_is_dropped_before_the_next_call() throws Exception {
    CompletableFuture<Double> late = client.squareAsync(100, Duration.ofMillis(300));
    Peer.Request lateRequest = peer.read();
    CompletableFuture<Double> other = client.squareAsync(4);
    peer.answerRoot();
    Background.get(other);
    Background.failure(DeadlineExceeded.class, late);

    peer.reply(lateRequest, 10);
    for (int i = 1; i < 5; i++) {
      double number = i;
      var next = Background.run(() -> client.square(number * number));
      peer.answerRoot();
      assertEquals(number, Background.get(next));
    }
  }

  @Test
  void more_than_1024_abandoned_calls_retire_the_connection() throws Exception {
    List<CompletableFuture<Double>> abandoned = new ArrayList<>();
    for (int i = 0; i < 1024; i++) {
      abandoned.add(client.squareAsync(i));
      peer.read();
    }
    CompletableFuture<Double> alive = client.squareAsync(4);
    Peer.Request aliveRequest = peer.read();
    CompletableFuture<Double> other = client.squareAsync(9);
    peer.answerRoot();
    Background.get(other);

    abandoned.forEach(call -> call.cancel(true));
    CompletableFuture<Double> last = client.squareAsync(16);
    Peer.Request lastRequest = peer.read();
    other = client.squareAsync(25);
    peer.answerRoot();
    assertEquals(5, Background.get(other), "1,024 are kept");

    last.cancel(true);
    CompletableFuture<Double> next = client.squareAsync(36);
    server.accept().answerRoot();
    assertEquals(6, Background.get(next));
    peer.reply(lastRequest, 4);
    peer.reply(aliveRequest, 2);
    assertEquals(2, Background.get(alive));
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void half_a_reply_does_not_outlast_the_deadline() throws Exception {
    var call = Background.run(() -> client.square(9, Duration.ofMillis(200)));
    Peer.Request request = peer.read();
    byte[] reply = Peer.frame("Square", TMessageType.REPLY, request.id(), Peer.result(3));
    peer.send(java.util.Arrays.copyOf(reply, 10));
    Background.failure(DeadlineExceeded.class, call);
  }
}
