package calculate;

import java.util.ArrayList;
import java.util.Arrays;
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

  /** Of which members the usual ones are some. */
  private List<Member> usualOf;

  /** Whom a call is picked from that has tried nobody; null when it is not known. */
  private Weighed usual;

  /** Those to pick from, with the sums of their effective weights up to and with each. */
  private record Weighed(List<Member> members, long[] sums, boolean lasts) {
    long sum() {
      return sums[sums.length - 1];
    }

    long weight(int index) {
      return sums[index] - before(index);
    }

    long before(int index) {
      return index == 0 ? 0 : sums[index - 1];
    }

    /** The first whose sum is above the number. */
    int at(long number) {
      int found = Arrays.binarySearch(sums, number + 1);
      return found < 0 ? -found - 1 : found;
    }
  }

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
    for (Member member : members) {
      if (isCallable(member) && !tried.contains(member)) {
        return true;
      }
    }
    return false;
  }

  /** Somebody is left alone, or is not any longer. */
  void changed() {
    usual = null;
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
    Weighed weighed = weighed(members, tried, nowMillis);
    List<Member> some = weighed.members();
    if (some.size() < 2) {
      return some.isEmpty() ? null : some.get(0);
    }
    return switch (balance) {
      case ROUND_ROBIN -> some.get((int) Long.remainderUnsigned(counter++, some.size()));
      case RANDOM -> some.get((int) randomness.below(some.size()));
      case WEIGHTED -> some.get(drawn(weighed));
      case LEAST_LOADED -> leastLoaded(weighed, nowMillis);
      case HASH -> key == null ? leastLoaded(weighed, nowMillis) : hashed(members, some, key);
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

  private Weighed weighed(List<Member> members, List<Member> tried, long nowMillis) {
    boolean known = tried.isEmpty() && usual != null && usualOf == members && usual.lasts();
    if (known) {
      return usual;
    }
    Weighed weighed = weigh(choice(members, tried), nowMillis);
    if (tried.isEmpty()) {
      usual = weighed;
      usualOf = members;
    }
    return weighed;
  }

  private Weighed weigh(List<Member> some, long nowMillis) {
    long[] sums = new long[some.size()];
    long sum = 0;
    boolean lasts = true;
    for (int i = 0; i < sums.length; i++) {
      sum += some.get(i).effectiveWeight(nowMillis, warmUpMillis);
      sums[i] = sum;
      lasts &= some.get(i).isWarm(nowMillis, warmUpMillis);
    }
    return new Weighed(some, sums, lasts);
  }

  private int drawn(Weighed some) {
    return some.at(randomness.below(some.sum()));
  }

  private int drawnBeside(Weighed some, int leftOut) {
    long x = randomness.below(some.sum() - some.weight(leftOut));
    return some.at(x < some.before(leftOut) ? x : x + some.weight(leftOut));
  }

  private Member leastLoaded(Weighed some, long nowMillis) {
    int one = drawn(some);
    Member first = some.members().get(one);
    long weightOfFirst = some.weight(one);
    long costOfFirst = first.cost(nowMillis, weightOfFirst);
    if (costOfFirst == weightOfFirst) {
      return first; // it has nothing to do and is fast: nobody costs less
    }
    int other = drawnBeside(some, one);
    Member second = some.members().get(other);
    long weightOfSecond = some.weight(other);
    long costOfSecond = second.cost(nowMillis, weightOfSecond);
    return costOfFirst * weightOfSecond <= costOfSecond * weightOfFirst ? first : second;
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
