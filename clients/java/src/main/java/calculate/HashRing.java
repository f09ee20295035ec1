package calculate;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Consistent hashing with bounded load: a key goes to the same instance, from every client of every
 * language, unless that has more than its share of the calls in flight.
 *
 * <p>Specification: {@code idl/vectors/hash.tsv}.
 */
final class HashRing {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  /** A place on the ring, and whose it is. */
  record Point(long place, Member member) {}

  private static final Comparator<Point> ORDER =
      Comparator.<Point, Long>comparing(Point::place, Long::compareUnsigned)
          .thenComparing(point -> point.member().id(), Instance.ID_ORDER);

  /** Ascending; where points collide, the lower id comes first. */
  private final List<Point> points = new ArrayList<>();

  HashRing(Iterable<Member> members) {
    for (Member member : members) {
      for (int k = 0; k < pointsOf(member.instance().weight()); k++) {
        points.add(new Point(hash64(bytes(member.id() + "#" + k)), member));
      }
    }
    points.sort(ORDER);
  }

  /** FNV-1a of 64 bits, with a finalizer that spreads it over all bits. */
  static long hash64(byte[] bytes) {
    long h = FNV_OFFSET;
    for (byte each : bytes) {
      h = (h ^ (each & 0xff)) * FNV_PRIME;
    }
    h ^= h >>> 33;
    h *= 0xff51afd7ed558ccdL;
    h ^= h >>> 33;
    h *= 0xc4ceb9fe1a85ec53L;
    return h ^ (h >>> 33);
  }

  /** How many points an instance of this weight has. */
  static int pointsOf(int weight) {
    return Math.max(1, (weight * 40 + 50) / 100);
  }

  /** The points of some of the members, ascending; of those that collide the lower id's. */
  List<Point> points(Set<Member> some) {
    List<Point> theirs = new ArrayList<>();
    for (Point point : points) {
      boolean collides = !theirs.isEmpty() && theirs.get(theirs.size() - 1).place == point.place;
      if (some.contains(point.member) && !collides) {
        theirs.add(point);
      }
    }
    return theirs;
  }

  /** Who of some of the members gets the key. */
  Member pick(Set<Member> some, byte[] key) {
    long calls = 1;
    long weights = 0;
    for (Member member : some) {
      calls += member.inFlight.get();
      weights += member.instance().weight();
    }
    Set<Member> passed = new LinkedHashSet<>();
    int start = firstAtOrAfter(hash64(key));
    for (int i = 0; i < points.size() && passed.size() < some.size(); i++) {
      int at = (start + i) % points.size();
      Member member = points.get(at).member;
      if (some.contains(member) && !isHidden(at, some) && passed.add(member)) {
        long share = (5 * calls * member.instance().weight() + 4 * weights - 1) / (4 * weights);
        if (member.inFlight.get() + 1 <= share) {
          return member;
        }
      }
    }
    return passed.iterator().next();
  }

  /** Whether another one of them has the same place, and a lower id. */
  private boolean isHidden(int at, Set<Member> some) {
    for (int i = at - 1; i >= 0 && points.get(i).place == points.get(at).place; i--) {
      if (some.contains(points.get(i).member)) {
        return true;
      }
    }
    return false;
  }

  private int firstAtOrAfter(long place) {
    int low = 0;
    int high = points.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(points.get(middle).place, place) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
