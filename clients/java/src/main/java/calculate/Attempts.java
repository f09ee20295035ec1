package calculate;

import java.util.ArrayList;
import java.util.List;

/** The attempts of one call. Guarded by the {@link Balancer}. */
final class Attempts {
  final boolean idempotent;
  final byte[] key;
  final Deadline deadline;

  /** Who was called. */
  final List<Member> tried = new ArrayList<>(2);

  int made;
  int retries;
  int overloaded;

  /** Attempts that have not ended: two while there is a hedge. */
  int running;

  Attempts(boolean idempotent, byte[] key, Deadline deadline) {
    this.idempotent = idempotent;
    this.key = key;
    this.deadline = deadline;
  }

  /**
   * One of them.
   *
   * @param deadline the call's, or an earlier one of its own
   * @param isCut whether the deadline is its own
   */
  record Attempt(Member member, Deadline deadline, boolean isCut, long startedNanos) {}
}
