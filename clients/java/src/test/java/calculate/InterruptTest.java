package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** An interrupt ends the one caller's call and nothing else. */
class InterruptTest extends ConnectedClient {
  @Test
  void the_reader_for_all_may_be_interrupted() throws Exception {
    CompletableFuture<CalculateError> first = new CompletableFuture<>();
    CompletableFuture<Boolean> stillInterrupted = new CompletableFuture<>();
    Thread reader =
        Background.start(
            () -> {
              first.complete(assertThrows(CalculateError.class, () -> client.square(4)));
              stillInterrupted.complete(Thread.currentThread().isInterrupted());
            });
    Peer.Request lost = peer.read();
    var second = Background.run(() -> client.square(9));
    Peer.Request request = peer.read();
    peer.send(new byte[0]);
    reader.interrupt();
    assertInstanceOf(InterruptedException.class, Background.get(first).getCause());
    assertTrue(Background.get(stillInterrupted));
    peer.reply(lost, 2);
    peer.reply(request, 3);
    assertEquals(3, Background.get(second));
  }

  @Test
  void a_caller_that_waits_for_the_reader_may_be_interrupted() throws Exception {
    var first = Background.run(() -> client.square(4));
    Peer.Request request = peer.read();
    CompletableFuture<CalculateError> second = new CompletableFuture<>();
    Thread waiting =
        Background.start(
            () -> second.complete(assertThrows(CalculateError.class, () -> client.square(9))));
    peer.read();
    waiting.interrupt();
    assertInstanceOf(InterruptedException.class, Background.get(second).getCause());
    peer.reply(request, 2);
    assertEquals(2, Background.get(first));
  }

  @Test
  void an_interrupted_thread_makes_no_call() throws Exception {
    Thread.currentThread().interrupt();
    try {
      assertThrows(CalculateError.class, () -> client.square(4));
    } finally {
      assertTrue(Thread.interrupted());
    }
    var next = Background.run(() -> client.square(9));
    Peer.Request request = peer.read();
    assertEquals(9, request.value());
    peer.reply(request, 3);
    assertEquals(3, Background.get(next));
  }
}
