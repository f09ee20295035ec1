package calculate;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * How the I/O thread sleeps and is woken. A signal given while it is awake keeps it from falling
 * asleep once, so none is lost; while it is awake, or woken already, a signal costs one look at a
 * variable.
 */
final class WakeUp {
  private static final int AWAKE = 0;
  private static final int SIGNALLED = 1;
  private static final int SELECTING = 2;
  private static final int PARKED = 3;

  private final AtomicInteger state = new AtomicInteger(AWAKE);
  private final Thread sleeper;
  private volatile Selector selector;

  WakeUp(Thread sleeper) {
    this.sleeper = sleeper;
  }

  /** Opens the selector, if it is not open yet. */
  void open() throws IOException {
    if (selector == null) {
      selector = Selector.open();
    }
  }

  /** Which was opened. */
  Selector selector() {
    return selector;
  }

  void signal() {
    if (state.get() == SIGNALLED) {
      return;
    }
    int before = state.getAndSet(SIGNALLED);
    if (before == PARKED) {
      LockSupport.unpark(sleeper);
    } else if (before == SELECTING) {
      selector.wakeup();
    }
  }

  /** Sleeps until a signal, or for the time given; 0 is for ever. */
  void park(long millis) {
    if (state.compareAndSet(AWAKE, PARKED)) {
      if (millis == 0) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(millis));
      }
    }
    state.set(AWAKE);
  }

  /** Sleeps until a channel is ready, a signal, or for the time given; 0 is for ever. */
  void select(Consumer<SelectionKey> ready, long millis) throws IOException {
    if (state.compareAndSet(AWAKE, SELECTING)) {
      selector.select(ready, millis);
    } else {
      selector.selectNow(ready);
    }
    state.set(AWAKE);
  }

  /** Looks which channels are ready, without sleeping. */
  void poll(Consumer<SelectionKey> ready) throws IOException {
    selector.selectNow(ready);
  }

  /** Has the selector let go of closed channels: until it does, the kernel keeps their sockets. */
  void letGo() throws IOException {
    if (selector != null) {
      selector.selectNow(key -> {});
    }
  }

  void close() throws IOException {
    if (selector != null) {
      selector.close();
    }
  }
}
