package calculate;

import java.util.Arrays;

/**
 * How long the last answers took, for hedging.
 *
 * <p>Specification: {@code idl/vectors/retry.tsv}, "p95".
 */
final class RecentLatencies {
  private static final int KEPT = 1000;
  private static final int ENOUGH = 100;
  private static final long MIN_MICROS = 1000;

  /** Sorting for every call would cost more than the calls. */
  private static final int REUSED = 50;

  private final long[] micros = new long[KEPT];
  private int count;
  private long p95 = -1;
  private int sinceSorted;

  void add(long tookMicros) {
    micros[count % KEPT] = tookMicros;
    count = count + 1 < 2 * KEPT ? count + 1 : KEPT;
    sinceSorted++;
  }

  /** After how many microseconds a hedge is sent; -1 for not at all. */
  long p95Micros() {
    int known = Math.min(count, KEPT);
    if (known < ENOUGH) {
      return -1;
    }
    if (p95 < 0 || sinceSorted >= REUSED) {
      long[] sorted = Arrays.copyOf(micros, known);
      Arrays.sort(sorted);
      p95 = Math.max(MIN_MICROS, sorted[(known * 95 + 99) / 100 - 1]);
      sinceSorted = 0;
    }
    return p95;
  }
}
