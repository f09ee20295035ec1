package calculate;

/**
 * For how long a caller looks at the socket again and again before it sleeps. A reply that comes
 * within the time that falling asleep and waking up would take is had sooner so, and no dearer
 * (competitive spinning: Karlin, Manasse, McGeoch and Owicki, 1990). Each time that it was in vain
 * it is left out twice as often, so a server that needs longer, or the same processor, costs next
 * to nothing. Not thread-safe.
 */
final class Spin {
  /** What sleeping and waking take on a virtual machine; a fifth of it where nothing is virtual. */
  static final long NANOS = 50_000;

  private static final int MOST_LEFT_OUT = 1024;

  private int leftOut;
  private int leavesOutNext = 1;

  /** Whether to look now, for {@link #NANOS}. */
  boolean isDue() {
    if (leftOut > 0) {
      leftOut--;
      return false;
    }
    return true;
  }

  /** The reply came while it was looked for. */
  void succeeded() {
    leavesOutNext = 1;
  }

  /** It did not. */
  void failed() {
    leftOut = leavesOutNext;
    leavesOutNext = Math.min(2 * leavesOutNext, MOST_LEFT_OUT);
  }
}
