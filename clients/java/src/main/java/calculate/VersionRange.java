package calculate;

import java.util.List;

/**
 * Versions of the service that a client can do with.
 *
 * @param low the lowest
 * @param high the highest, {@link #NO_LIMIT} where there is none
 */
record VersionRange(long low, long high) {
  /** Above every version. */
  static final long NO_LIMIT = 9_999_999_999L;

  /** Every version. */
  static final VersionRange ANY = new VersionRange(0, NO_LIMIT);

  private static final String VERSION = "[0-9]{1,9}";

  /**
   * Reads {@code N}, {@code N-M} or {@code N+}.
   *
   * @throws IllegalArgumentException if it is anything else
   */
  static VersionRange parse(String text) {
    if (text.matches(VERSION + "\\+")) {
      return new VersionRange(Long.parseLong(text.substring(0, text.length() - 1)), NO_LIMIT);
    }
    if (text.matches(VERSION)) {
      return new VersionRange(Long.parseLong(text), Long.parseLong(text));
    }
    if (text.matches(VERSION + "-" + VERSION)) {
      String[] ends = text.split("-");
      VersionRange range = new VersionRange(Long.parseLong(ends[0]), Long.parseLong(ends[1]));
      if (range.low <= range.high) {
        return range;
      }
    }
    throw new IllegalArgumentException("is no range of versions, such as 2, 1-3 or 2+");
  }

  /** Whether one of the versions is in the range; none at all fit every range. */
  boolean includes(List<Integer> versions) {
    return versions.isEmpty() || versions.stream().anyMatch(this::includes);
  }

  boolean includes(int version) {
    return low <= version && version <= high;
  }
}
