package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * The reader's role goes round among blocking callers and the I/O thread, and no reply is left
 * lying.
 */
class MixedCallersTest extends ConnectedClient {
  @Test
  void a_reader_whose_reply_came_passes_the_role_on() throws Exception {
    List<CompletableFuture<Double>> calls = new ArrayList<>();
    List<Peer.Request> requests = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      double number = i;
      calls.add(Background.run(() -> client.square(number)));
      requests.add(peer.read());
    }
    for (int i = 0; i < 10; i++) {
      peer.reply(requests.get(i), i);
      assertEquals(i, Background.get(calls.get(i)));
    }
  }

  @Test
  void a_reader_whose_deadline_passed_passes_the_role_on() throws Exception {
    var first = Background.run(() -> client.square(4, Duration.ofMillis(100)));
    peer.read();
    var second = Background.run(() -> client.square(9));
    Peer.Request request = peer.read();
    Background.failure(DeadlineExceeded.class, first);
    peer.reply(request, 3);
    assertEquals(3, Background.get(second));
  }

  @Test
  void a_blocking_reader_gives_way_to_an_asynchronous_call_and_gets_its_reply() throws Exception {
    for (int i = 0; i < 50; i++) {
      var blocking = Background.run(() -> client.square(4));
      Peer.Request first = peer.read();
      CompletableFuture<Double> asynchronous = client.squareAsync(9);
      Peer.Request second = peer.read();
      peer.reply(second, 3);
      assertEquals(3, Background.get(asynchronous));
      peer.reply(first, 2);
      assertEquals(2, Background.get(blocking));
    }
  }

  @Test
  void deadlines_of_all_kinds_are_kept_side_by_side() throws Exception {
    var patient = Background.run(() -> client.square(4));
    Peer.Request request = peer.read();
    for (int i = 1; i <= 5; i++) {
      Duration timeout = Duration.ofMillis(30L * i);
      CompletableFuture<Double> asynchronous = client.squareAsync(9, timeout);
      long start = System.nanoTime();
      assertThrows(DeadlineExceeded.class, () -> client.square(9, timeout));
      assertEquals(0, (System.nanoTime() - start) / Duration.ofSeconds(3).toNanos());
      Background.failure(DeadlineExceeded.class, asynchronous);
    }
    peer.reply(request, 2);
    assertEquals(2, Background.get(patient));
  }
}
