package calculate;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** What tests do beside their own thread. */
final class Background {
  private static final long TIMEOUT_SECONDS = 10;

  private Background() {}

  /** Runs it on a thread of its own. */
  static <T> CompletableFuture<T> run(Callable<T> task) {
    CompletableFuture<T> future = new CompletableFuture<>();
    start(
        () -> {
          try {
            future.complete(task.call());
          } catch (Throwable e) {
            future.completeExceptionally(e);
          }
        });
    return future;
  }

  static Thread start(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }

  /** The error that the future is completed with. */
  static <E extends Throwable> E failure(Class<E> type, CompletableFuture<?> future) {
    ExecutionException wrapped =
        assertThrows(ExecutionException.class, () -> future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS));
    return assertThrows(
        type,
        () -> {
          throw wrapped.getCause();
        });
  }

  static void eventually(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("the condition did not come true");
      }
      Thread.onSpinWait();
    }
  }
}
