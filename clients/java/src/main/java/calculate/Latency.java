package calculate;

/**
 * How slow an instance is: a moving average (EWMA) over the last seconds, in which one slow answer
 * among many counts for little. One that jumps to each peak (Finagle's) would keep who paused once
 * from being called for as long as it falls.
 *
 * <p>Specification: {@code idl/vectors/latency.tsv}.
 */
final class Latency {
  private static final double FAILED_MILLIS = 1000;
  private static final double TAU_MILLIS = 2000;
  private static final double UNIT_MILLIS = 4;
  private static final int MAX_CLASS = 1 << 20;

  private double ewmaMillis;
  private long sampledAtMillis;
  private boolean sampled;

  /** An answer came that took so long. */
  void sample(long nowMillis, double tookMillis) {
    double kept = kept(nowMillis);
    set(nowMillis, ewmaMillis * kept + tookMillis * (1 - kept));
  }

  /**
   * An attempt failed after so long, which counts as a second, or as longer: others are called
   * first, also where too many are out for this one to be.
   */
  void fail(long nowMillis, double tookMillis) {
    set(nowMillis, Math.max(ewmaMillis, Math.max(tookMillis, FAILED_MILLIS)));
  }

  /** It was found well after it had been left alone. */
  void forget() {
    ewmaMillis = 0;
    sampled = false;
  }

  /**
   * The average as it is now: it falls while there is no sample, so that who was slow once is tried
   * again.
   */
  double at(long nowMillis) {
    return ewmaMillis * kept(nowMillis);
  }

  /**
   * The smallest power of four, from 1 to 4^10, that is at least a quarter of the average in
   * milliseconds: what is below 4 ms is noise, and so is what is below a factor of four.
   */
  int classAt(long nowMillis) {
    double units = ewmaMillis <= UNIT_MILLIS ? 0 : at(nowMillis) / UNIT_MILLIS;
    int powerOfFour = 1;
    while (powerOfFour < units && powerOfFour < MAX_CLASS) {
      powerOfFour *= 4;
    }
    return powerOfFour;
  }

  private void set(long nowMillis, double millis) {
    ewmaMillis = millis;
    sampledAtMillis = nowMillis;
    sampled = true;
  }

  /** The share that what is known has in the average of now: nothing, when nothing is. */
  private double kept(long nowMillis) {
    return !sampled ? 0 : Math.exp(-Math.max(0, nowMillis - sampledAtMillis) / TAU_MILLIS);
  }
}
