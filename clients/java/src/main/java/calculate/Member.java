package calculate;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * An instance in the list, and how it does. All but the calls in flight is guarded by who owns the
 * list.
 */
final class Member {
  /** Not a moment. */
  static final long NEVER = Long.MIN_VALUE;

  private static final long AVOIDED_MILLIS = 1000;

  /** Its calls that have no answer yet. */
  final AtomicInteger inFlight = new AtomicInteger();

  final Latency latency = new Latency();
  final Health.Record health = new Health.Record();

  /** When it came, if that was after the first list: it warms up then. Else {@link #NEVER}. */
  final long cameAtMillis;

  /** When its last connection was made, of {@link System#nanoTime}; before that {@link #NEVER}. */
  volatile long connectedNanos = NEVER;

  private volatile int version;
  private Instance instance;
  private long avoidedUntilMillis = NEVER;

  Member(Instance instance, long cameAtMillis) {
    this.instance = instance;
    this.cameAtMillis = cameAtMillis;
  }

  String id() {
    return instance.id();
  }

  Instance instance() {
    return instance;
  }

  /** The version of the service by whose name it is called; 0: by the plain name. */
  int version() {
    return version;
  }

  /** What is known of the same instance at the same place has changed. */
  void update(Instance instance, VersionRange asked) {
    this.instance = instance;
    this.version = instance.calledVersion(asked);
  }

  /** It answered that it is overloaded. */
  void avoid(long nowMillis) {
    avoidedUntilMillis = nowMillis + AVOIDED_MILLIS;
  }

  /** Its weight, less while it warms up. */
  int effectiveWeight(long nowMillis, long warmUpMillis) {
    long age = nowMillis - cameAtMillis;
    if (isWarm(nowMillis, warmUpMillis)) {
      return instance.weight();
    }
    long share = Math.max(warmUpMillis, 10 * Math.max(0, age));
    return (int) Math.max(1, instance.weight() * share / (10 * warmUpMillis));
  }

  /** Whether it has its whole weight. */
  boolean isWarm(long nowMillis, long warmUpMillis) {
    return cameAtMillis == NEVER || nowMillis - cameAtMillis >= warmUpMillis;
  }

  /**
   * What another call there costs, times its effective weight. Who has nothing to do costs the
   * same, whatever its weight: the heavier one is drawn more often.
   */
  long cost(long nowMillis, long weight) {
    long load = (long) inFlight.get() * Instance.DEFAULT_WEIGHT + weight;
    long cost = load * latency.classAt(nowMillis);
    return nowMillis < avoidedUntilMillis ? 2 * cost : cost;
  }
}
