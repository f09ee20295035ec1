package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Calls that are made together leave in one write. */
class CombinedWritesTest extends ConnectedClient {
  private static final int CALLS = 100;
  private static final int CALL_BYTES = 38;

  @Test
  void calls_made_by_a_callback_leave_together() throws Exception {
    client.squareAsync(1).thenRun(() -> makeCalls(new ArrayList<>()));
    peer.answerRoot();
    assertEquals(CALLS * CALL_BYTES, peer.readOnce().length);
  }

  @Test
  void calls_made_by_callbacks_of_one_batch_of_replies_leave_together() throws Exception {
    List<CompletableFuture<Double>> first = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      CompletableFuture<Double> call = client.squareAsync(i);
      call.thenRun(() -> client.squareAsync(1));
      first.add(call);
    }
    byte[][] replies = new byte[3][];
    for (int i = 0; i < 3; i++) {
      Peer.Request request = peer.read();
      replies[i] = Peer.frame("Square", (byte) 2, request.id(), Peer.result(1));
    }
    peer.send(Peer.concat(replies));
    assertEquals(3 * CALL_BYTES, peer.readOnce().length);
  }

  @Test
  void calls_made_while_the_io_thread_is_busy_leave_together() throws Exception {
    CountDownLatch busy = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    client
        .squareAsync(1)
        .thenRun(
            () -> {
              busy.countDown();
              awaitQuietly(go);
            });
    peer.answerRoot();
    busy.await();
    makeCalls(new ArrayList<>());
    go.countDown();
    assertEquals(CALLS * CALL_BYTES, peer.readOnce().length);
  }

  private void makeCalls(List<CompletableFuture<Double>> calls) {
    for (int i = 0; i < CALLS; i++) {
      calls.add(client.squareAsync(i));
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
