package calculate;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Closing a client ends all of its calls. */
class ClosedClientTest extends ConnectedClient {
  @Test
  void calls_in_flight_fail() throws Exception {
    var blocking = Background.run(() -> client.square(9));
    peer.read();
    CompletableFuture<Double> asynchronous = client.squareAsync(9);
    peer.read();
    client.close();
    Background.failure(ConnectionClosed.class, blocking);
    Background.failure(ConnectionClosed.class, asynchronous);
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void later_calls_fail_at_once() throws Exception {
    client.close();
    client.close();
    assertThrows(ConnectionClosed.class, () -> client.square(9));
    assertTrue(client.squareAsync(9).isCompletedExceptionally());
  }

  @Test
  void a_callback_may_close_the_client() throws Exception {
    CompletableFuture<Void> closing = client.squareAsync(9).thenAccept(root -> client.close());
    CompletableFuture<Double> other = client.squareAsync(16);
    peer.answerRoot();
    Background.get(closing);
    Background.failure(ConnectionClosed.class, other);
    assertTrue(client.squareAsync(9).isCompletedExceptionally());
  }

  @Test
  void its_thread_ends() throws Exception {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    client.squareAsync(9).thenAccept(root -> thread.complete(Thread.currentThread()));
    peer.answerRoot();
    Thread io = Background.get(thread);
    assertTrue(io.isDaemon());
    client.close();
    io.join(10_000);
    assertFalse(io.isAlive());
  }
}
