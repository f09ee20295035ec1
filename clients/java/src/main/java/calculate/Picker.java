package calculate;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Chooses whom to call. Guarded by who owns the list.
 *
 * <p>Specification: {@code idl/vectors/balance.tsv}.
 */
final class Picker {
  private final Balance balance;
  private final Wanted wanted;
  private final long warmUpMillis;
  private final Randomness randomness;

  private long counter;

  /** Of which members the ring is. */
  private List<Member> ringOf;

  private HashRing ring;

  Picker(Balance balance, Wanted wanted, long warmUpMillis, Randomness randomness) {
    this(balance, wanted, warmUpMillis, randomness, 0);
  }

  Picker(Balance balance, Wanted wanted, long warmUpMillis, Randomness randomness, long counter) {
    this.balance = balance;
    this.wanted = wanted;
    this.warmUpMillis = warmUpMillis;
    this.randomness = randomness;
    this.counter = counter;
  }

  /** Those that are asked for, enabled and have a weight, whether or not they are well. */
  List<Member> callable(List<Member> members) {
    return where(members, this::isCallable);
  }

  /** Whether there is somebody to call who was not tried. */
  boolean hasOthers(List<Member> members, List<Member> tried) {
    return members.stream().anyMatch(member -> isCallable(member) && !tried.contains(member));
  }

  /**
   * Whom to call, or null if there is nobody.
   *
   * @param members in the order of their ids; another list whenever one of them or its weight
   *     changes
   * @param tried who was called for this call before
   * @param key of the call, or null
   */
  Member pick(List<Member> members, List<Member> tried, byte[] key, long nowMillis) {
    List<Member> some = choice(members, tried);
    if (some.size() < 2) {
      return some.isEmpty() ? null : some.get(0);
    }
    return switch (balance) {
      case ROUND_ROBIN -> some.get((int) Long.remainderUnsigned(counter++, some.size()));
      case RANDOM -> some.get((int) randomness.below(some.size()));
      case WEIGHTED -> weighted(some, null, nowMillis);
      case LEAST_LOADED -> leastLoaded(some, nowMillis);
      case HASH -> key == null ? leastLoaded(some, nowMillis) : hashed(members, some, key);
    };
  }

  private List<Member> choice(List<Member> members, List<Member> tried) {
    List<Member> callable = callable(members);
    List<Member> candidates = where(callable, member -> !Health.isOut(member));
    List<Member> near = wanted.zone().isEmpty() ? List.of() : near(members, candidates);
    for (List<Member> some : List.of(near, candidates, callable)) {
      List<Member> fresh = tried.isEmpty() ? some : where(some, member -> !tried.contains(member));
      if (!fresh.isEmpty()) {
        return fresh;
      }
    }
    return candidates.isEmpty() ? callable : candidates;
  }

  /** The candidates of the own zone, unless less than half of the zone's weight is left. */
  private List<Member> near(List<Member> members, List<Member> candidates) {
    List<Member> near = where(candidates, this::isNear);
    long whole = weight(where(members, member -> isNear(member) && fits(member)));
    return 2 * weight(near) < whole ? List.of() : near;
  }

  private Member leastLoaded(List<Member> some, long nowMillis) {
    Member one = weighted(some, null, nowMillis);
    Member other = weighted(some, one, nowMillis);
    long costOfOne = one.cost(nowMillis) * other.effectiveWeight(nowMillis, warmUpMillis);
    long costOfOther = other.cost(nowMillis) * one.effectiveWeight(nowMillis, warmUpMillis);
    return costOfOne <= costOfOther ? one : other;
  }

  private Member weighted(List<Member> some, Member leftOut, long nowMillis) {
    long sum = 0;
    for (Member member : some) {
      sum += member == leftOut ? 0 : member.effectiveWeight(nowMillis, warmUpMillis);
    }
    long x = randomness.below(sum);
    for (Member member : some) {
      x -= member == leftOut ? 0 : member.effectiveWeight(nowMillis, warmUpMillis);
      if (x < 0) {
        return member;
      }
    }
    throw new IllegalStateException("a number below the sum of the weights is not below it");
  }

  private Member hashed(List<Member> members, List<Member> some, byte[] key) {
    if (ringOf != members) {
      ring = new HashRing(callable(members));
      ringOf = members;
    }
    Set<Member> set = Collections.newSetFromMap(new IdentityHashMap<>());
    set.addAll(some);
    return ring.pick(set, key);
  }

  private boolean fits(Member member) {
    return wanted.fits(member.instance());
  }

  private boolean isCallable(Member member) {
    Instance instance = member.instance();
    return instance.enabled() && instance.weight() > 0 && wanted.fits(instance);
  }

  private boolean isNear(Member member) {
    return wanted.zone().equals(member.instance().zone());
  }

  private static long weight(List<Member> some) {
    return some.stream().mapToLong(member -> member.instance().weight()).sum();
  }

  private static List<Member> where(List<Member> members, Predicate<Member> condition) {
    List<Member> some = new ArrayList<>(members.size());
    for (Member member : members) {
      if (condition.test(member)) {
        some.add(member);
      }
    }
    return some;
  }
}
