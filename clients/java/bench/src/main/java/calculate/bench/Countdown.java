package calculate.bench;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** So many calls to start, and to wait for. */
final class Countdown {
  private final AtomicInteger toStart;
  private final AtomicInteger toEnd;
  private final CountDownLatch done = new CountDownLatch(1);
  private volatile boolean wrong;

  Countdown(int calls) {
    toStart = new AtomicInteger(calls);
    toEnd = new AtomicInteger(calls);
  }

  /** Whether one more call is to be made. */
  boolean start() {
    return toStart.getAndDecrement() > 0;
  }

  void end(boolean right) {
    wrong |= !right;
    if (toEnd.decrementAndGet() == 0) {
      done.countDown();
    }
  }

  void await() throws InterruptedException {
    done.await();
    if (wrong) {
      throw new IllegalStateException("a wrong result");
    }
  }
}
