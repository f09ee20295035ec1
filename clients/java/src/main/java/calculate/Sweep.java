package calculate;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The deadlines of asynchronous calls: one moment to look at them all, instead of a timer for each.
 * That moment is no later than the earliest deadline, or {@link #GRAIN_NANOS} after the last look,
 * whichever is later.
 */
final class Sweep {
  private static final long GRAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** Whether a call may be waiting, and then when to look. */
  private boolean armed;

  private long at;

  private final List<Call<?, ?>> late = new ArrayList<>();

  /** A call with this deadline waits now. */
  void include(Deadline deadline) {
    if (!armed || deadline.atNanos() - at < 0) {
      armed = true;
      at = deadline.atNanos();
    }
  }

  boolean isDue() {
    return armed && at - System.nanoTime() <= 0;
  }

  /** How long to sleep at most, in milliseconds rounded up; 0 for as long as nothing happens. */
  long sleepMillis() {
    return armed ? TimeUnit.NANOSECONDS.toMillis(Math.max(0, at - System.nanoTime())) + 1 : 0;
  }

  /** Looks at all calls that {@code calls} shows: those whose deadlines have passed. */
  List<Call<?, ?>> look(Consumer<Consumer<Call<?, ?>>> calls) {
    long now = System.nanoTime();
    armed = false;
    late.clear();
    calls.accept(call -> look(call, now));
    if (armed && at - now < GRAIN_NANOS) {
      at = now + GRAIN_NANOS;
    }
    return late;
  }

  private void look(Call<?, ?> call, long now) {
    if (call.isBlocking()) {
      return;
    }
    if (call.deadline.atNanos() - now <= 0) {
      late.add(call);
    } else {
      include(call.deadline);
    }
  }
}
