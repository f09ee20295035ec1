package calculate;

/**
 * How slow an instance is: a moving average that peaks at once and falls slowly. New, it is 0.
 *
 * <p>Specification: {@code idl/vectors/latency.tsv}.
 */
final class Latency {
  private static final double FAILED_MILLIS = 1000;
  private static final double TAU_MILLIS = 10_000;
  private static final int MAX_CLASS = 1 << 20;

  private double ewmaMillis;
  private long sampledAtMillis;

  /** An answer came that took so long. */
  void sample(long nowMillis, double tookMillis) {
    if (tookMillis >= ewmaMillis) {
      ewmaMillis = tookMillis;
    } else {
      double kept = kept(nowMillis);
      ewmaMillis = ewmaMillis * kept + tookMillis * (1 - kept);
    }
    sampledAtMillis = nowMillis;
  }

  /**
   * An attempt failed after so long, which counts as a second, or as longer: others are called
   * first, also where too many are out for this one to be.
   */
  void fail(long nowMillis, double tookMillis) {
    sample(nowMillis, Math.max(tookMillis, FAILED_MILLIS));
  }

  /** It was found well after it had been left alone. */
  void forget() {
    ewmaMillis = 0;
  }

  /**
   * The average as it is now: it falls while there is no sample, so that who was slow once is tried
   * again.
   */
  double at(long nowMillis) {
    return ewmaMillis * kept(nowMillis);
  }

  /**
   * The smallest power of two, from 1 to 2^20, that is at least the average in milliseconds: less
   * of a difference is noise.
   */
  int classAt(long nowMillis) {
    double millis = ewmaMillis <= 1 ? 0 : at(nowMillis);
    int powerOfTwo = 1;
    while (powerOfTwo < millis && powerOfTwo < MAX_CLASS) {
      powerOfTwo *= 2;
    }
    return powerOfTwo;
  }

  private double kept(long nowMillis) {
    return Math.exp(-Math.max(0, nowMillis - sampledAtMillis) / TAU_MILLIS);
  }
}
