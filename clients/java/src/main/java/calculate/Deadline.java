package calculate;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The moment until which a call may last.
 *
 * @param atNanos in terms of {@link System#nanoTime}
 * @param timeoutNanos how long the call was given, for messages
 */
record Deadline(long atNanos, long timeoutNanos) {
  private static final double NANOS_PER_SECOND = 1e9;

  static Deadline after(Duration timeout) {
    long nanos = timeout.toNanos();
    return new Deadline(System.nanoTime() + nanos, nanos);
  }

  long leftNanos() {
    return atNanos - System.nanoTime();
  }

  /**
   * What is left in milliseconds, rounded up so that waiting so long passes the deadline; 0 if it
   * has passed.
   */
  long leftMillis() {
    long left = leftNanos();
    return left <= 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(left) + 1;
  }

  /** The time the call was given, such as "0.25 s". */
  String timeout() {
    String seconds = Double.toString(timeoutNanos / NANOS_PER_SECOND);
    return (seconds.endsWith(".0") ? seconds.substring(0, seconds.length() - 2) : seconds) + " s";
  }
}
