package calculate;

import java.util.Collection;
import java.util.List;

/**
 * Which instances are left alone, and for how long: who fails is ejected, and probed before it is
 * called again. Times are milliseconds on a clock that only goes forward.
 *
 * <p>Specification: {@code idl/vectors/health.tsv}.
 */
final class Health {
  private static final long FIRST_MILLIS = 1000;
  private static final long LONGEST_MILLIS = 30_000;
  private static final long FORGET_MILLIS = 60_000;
  private static final int MAX_DOUBLINGS = 16;

  /** What {@link #fail} answers when the instance was out already. */
  static final long STAYS = -1;

  /** What {@link #fail} answers when too many are out: the instance stays in. */
  static final long SPARED = -2;

  private final Randomness randomness;

  /** How an instance did of late. */
  static final class Record {
    /** How often it was ejected without a minute between two failures. */
    private int ejections;

    private long failedAtMillis = Member.NEVER;

    /** It is out until it has been probed, which is not before this; NEVER if it is in. */
    private long outUntilMillis = Member.NEVER;

    /** Somebody probes it. */
    private boolean probing;
  }

  Health(Randomness randomness) {
    this.randomness = randomness;
  }

  static boolean isOut(Member member) {
    return member.health.outUntilMillis != Member.NEVER;
  }

  /**
   * An instance failed.
   *
   * @param callable all that could be called if they were well
   * @return for how many milliseconds it is ejected, {@link #STAYS} or {@link #SPARED}
   */
  long fail(Member member, long nowMillis, Collection<Member> callable) {
    Record health = member.health;
    boolean forgotten =
        health.failedAtMillis == Member.NEVER || nowMillis - health.failedAtMillis >= FORGET_MILLIS;
    if (forgotten) {
      health.ejections = 0;
    }
    health.failedAtMillis = nowMillis;
    if (isOut(member)) {
      return STAYS;
    }
    long out = callable.stream().filter(Health::isOut).count();
    return out < callable.size() / 2 ? eject(health, nowMillis) : SPARED;
  }

  /** Whether its time is up and nobody probes it. */
  static boolean isDue(Member member, long nowMillis) {
    return isOut(member) && !member.health.probing && member.health.outUntilMillis <= nowMillis;
  }

  /** Those that are due; who asks has to probe them. */
  static List<Member> takeDue(Collection<Member> members, long nowMillis) {
    List<Member> due = members.stream().filter(member -> isDue(member, nowMillis)).toList();
    due.forEach(member -> member.health.probing = true);
    return due;
  }

  /** A probe was answered: the instance is in again. */
  static void probeWell(Member member) {
    member.health.probing = false;
    member.health.outUntilMillis = Member.NEVER;
  }

  /** A probe failed: for how many milliseconds the instance is ejected anew. */
  long probeFailed(Member member, long nowMillis) {
    member.health.probing = false;
    member.health.failedAtMillis = nowMillis;
    return eject(member.health, nowMillis);
  }

  private long eject(Record health, long nowMillis) {
    health.ejections++;
    long doubled = FIRST_MILLIS << Math.min(health.ejections - 1, MAX_DOUBLINGS);
    long length = Math.min(doubled, LONGEST_MILLIS) * (900 + randomness.below(201)) / 1000;
    health.outUntilMillis = nowMillis + length;
    return length;
  }
}
