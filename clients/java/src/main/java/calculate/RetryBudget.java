package calculate;

/**
 * How many retries and hedges there may be: a bucket of tokens, filled by calls and by time, so
 * that retries do not double the load of servers that are in trouble.
 *
 * <p>Specification: {@code idl/vectors/retry.tsv}, "budget".
 */
final class RetryBudget {
  private static final long MAX_THOUSANDTHS = 100_000;
  private static final long PER_MILLI = 10;
  private static final long PER_CALL = 200;
  private static final long PER_RETRY = 1000;

  private long thousandths = 10_000;
  private long filledAtMillis;

  RetryBudget(long nowMillis) {
    this.filledAtMillis = nowMillis;
  }

  /** A call begins. */
  void call(long nowMillis) {
    fill(nowMillis);
    thousandths = Math.min(MAX_THOUSANDTHS, thousandths + PER_CALL);
  }

  /** Whether there is a token. */
  boolean hasToken(long nowMillis) {
    fill(nowMillis);
    return thousandths >= PER_RETRY;
  }

  /** Takes a token if there is one. */
  boolean take(long nowMillis) {
    boolean taken = hasToken(nowMillis);
    if (taken) {
      thousandths -= PER_RETRY;
    }
    return taken;
  }

  private void fill(long nowMillis) {
    long passed = Math.max(0, Math.min(MAX_THOUSANDTHS, nowMillis - filledAtMillis));
    thousandths = Math.min(MAX_THOUSANDTHS, thousandths + passed * PER_MILLI);
    filledAtMillis = Math.max(filledAtMillis, nowMillis);
  }
}
