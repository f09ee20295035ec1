package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.idl.Calculate;
import calculate.idl.Number;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** Many calls are in flight at once, and each gets its own reply. */
class AsynchronousCallTest extends ConnectedClient {
  @Test
  void replies_may_come_in_any_order() throws Exception {
    List<CompletableFuture<Double>> calls = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      calls.add(client.squareAsync(i * (double) i));
    }
    List<Peer.Request> requests = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      requests.add(peer.read());
    }
    Collections.shuffle(requests, new java.util.Random(1));
    for (Peer.Request request : requests) {
      peer.reply(request, Math.sqrt(request.value()));
    }
    for (int i = 0; i < 300; i++) {
      assertEquals(i, Background.get(calls.get(i)));
    }
  }

  @Test
  void arguments_that_cannot_be_written_end_their_own_call_alone() throws Exception {
    Method<Calculate.Square_result, Number> method =
        Method.of("Square", Calculate.Square_result::new, Calculate.Square_result::getSuccess);
    var before = client.squareAsync(4);
    var broken = client.callAsync(method, null, CallOptions.defaults());
    var after = client.squareAsync(9);
    Background.failure(NullPointerException.class, broken);
    peer.answerRoots(2);
    assertEquals(2, Background.get(before));
    assertEquals(3, Background.get(after));
  }

  @Test
  void a_reply_may_come_in_pieces() throws Exception {
    CompletableFuture<Double> call = client.squareAsync(9);
    Peer.Request request = peer.read();
    for (byte piece : Peer.frame("Square", (byte) 2, request.id(), Peer.result(3))) {
      peer.send(new byte[] {piece});
    }
    assertEquals(3, Background.get(call));
  }

  @Test
  void a_cancelled_call_is_abandoned_and_its_reply_dropped() throws Exception {
    CompletableFuture<Double> kept = client.squareAsync(4);
    Peer.Request keptRequest = peer.read();
    CompletableFuture<Double> cancelled = client.squareAsync(9);
    Peer.Request cancelledRequest = peer.read();
    CompletableFuture<Double> other = client.squareAsync(16);
    peer.answerRoot();
    Background.get(other);

    assertTrue(cancelled.cancel(true));
    peer.reply(cancelledRequest, 3);
    peer.reply(keptRequest, 2);
    assertEquals(2, Background.get(kept));
    assertTrue(cancelled.isCancelled());
    CompletableFuture<Double> next = client.squareAsync(25);
    peer.answerRoot();
    assertEquals(5, Background.get(next));
  }

  @Test
  void a_call_cancelled_before_it_is_sent_is_not_sent() throws Exception {
    CountDownLatch busy = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    client
        .squareAsync(1)
        .thenRun(
            () -> {
              busy.countDown();
              try {
                go.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    peer.answerRoot();
    busy.await();
    client.squareAsync(4).cancel(true);
    CompletableFuture<Double> next = client.squareAsync(9);
    go.countDown();
    Peer.Request request = peer.read();
    assertEquals(9, request.value());
    peer.reply(request, 3);
    assertEquals(3, Background.get(next));
  }

  @Test
  void a_blocking_call_in_a_callback_is_refused() throws Exception {
    CompletableFuture<Double> call = client.squareAsync(9).thenApply(root -> client.square(root));
    peer.answerRoot();
    Background.failure(IllegalStateException.class, call);
  }

  @Test
  void with_an_executor_callbacks_run_there_and_may_block() throws Exception {
    var executor = Executors.newSingleThreadExecutor(task -> new Thread(task, "mine"));
    try (CalculateClient other =
        CalculateClient.connect(server.address(), options().withExecutor(executor))) {
      Peer itsPeer = server.accept();
      CompletableFuture<String> call =
          other
              .squareAsync(81)
              .thenApply(root -> Thread.currentThread().getName() + " " + other.square(root));
      itsPeer.answerRoot();
      itsPeer.answerRoot();
      assertEquals("mine 3.0", Background.get(call));
    } finally {
      executor.shutdown();
    }
  }

  @Test
  void an_executor_that_refuses_does_not_lose_the_outcome() throws Exception {
    Options options =
        options()
            .withExecutor(
                task -> {
                  throw new RejectedExecutionException();
                });
    try (CalculateClient other = CalculateClient.connect(server.address(), options)) {
      Peer itsPeer = server.accept();
      CompletableFuture<Double> call = other.squareAsync(9);
      itsPeer.answerRoot();
      assertEquals(3, Background.get(call));
    }
  }

  @Test
  void errors_come_unwrapped_to_the_future_itself() throws Exception {
    CompletableFuture<Throwable> seen = new CompletableFuture<>();
    client.squareAsync(9).whenComplete((root, error) -> seen.complete(error));
    peer.read();
    peer.close();
    assertSame(ConnectionClosed.class, Background.get(seen).getClass());
  }

  @Test
  void an_interrupt_in_a_callback_stops_nothing() throws Exception {
    client.squareAsync(1).thenRun(() -> Thread.currentThread().interrupt());
    peer.answerRoot();
    CompletableFuture<Double> next = client.squareAsync(9);
    peer.answerRoot();
    assertEquals(3, Background.get(next));
  }

  @Test
  void more_than_the_socket_holds_is_sent_all_the_same() throws Exception {
    int calls = 200_000;
    List<CompletableFuture<Double>> futures = new ArrayList<>(calls);
    for (int i = 0; i < calls; i++) {
      futures.add(client.squareAsync(i, java.time.Duration.ofSeconds(60)));
    }
    // Nobody has read so far: 8 MB wait, more than the kernel takes.
    for (int i = 0; i < calls / 100; i++) {
      peer.answerRoots(100);
    }
    for (int i = 0; i < calls; i++) {
      assertEquals(Math.sqrt(i), Background.get(futures.get(i)));
    }
  }

  @Test
  void a_timeout_that_is_none_is_refused() {
    assertThrows(
        IllegalArgumentException.class, () -> client.squareAsync(9, java.time.Duration.ZERO));
    assertThrows(
        IllegalArgumentException.class, () -> client.square(9, java.time.Duration.ofDays(1000)));
  }
}
