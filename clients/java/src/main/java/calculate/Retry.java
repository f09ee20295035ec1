package calculate;

/**
 * Whether a failed call is made once more, when, and how long an attempt may take.
 *
 * <p>Specification: {@code idl/vectors/retry.tsv}.
 */
final class Retry {
  private static final long FIRST_MILLIS = 10;
  private static final long LONGEST_MILLIS = 250;
  private static final int MAX_DOUBLINGS = 16;

  private Retry() {}

  /** How an attempt can fail. */
  enum Failure {
    /** ConnectError: nothing was sent. */
    CONNECT,
    /** Overloaded: it was not begun. */
    OVERLOADED,
    /** ConnectionClosed before the reply. */
    CLOSED,
    /** The attempt's own time-out. */
    ATTEMPT_TIMEOUT,
    /** ProtocolError. */
    PROTOCOL,
    /** ApplicationError. */
    APPLICATION,
    /** A declared error, such as DomainError. */
    DOMAIN,
    /** The call's deadline. */
    DEADLINE,
    /** The client was closed, or the caller interrupted. */
    CLIENT_CLOSED;

    /** Whether the instance is to blame. */
    boolean isFault() {
      return this == CONNECT || this == CLOSED || this == ATTEMPT_TIMEOUT || this == PROTOCOL;
    }

    /** Whether it is an answer: the instance works. */
    boolean isAnswer() {
      return this == APPLICATION || this == DOMAIN;
    }
  }

  /**
   * What is known of a call when one of its attempts begins or ends.
   *
   * @param attempt 1 for the first
   * @param attempts at most
   * @param idempotent whether the method may be carried out twice
   * @param others whether there is somebody to call who was not tried
   */
  record State(int attempt, int attempts, boolean idempotent, boolean others) {}

  /** Whether a call of which an attempt failed is to be made once more. */
  static boolean isWanted(Failure failure, State state, int overloaded) {
    return state.attempt < state.attempts
        && switch (failure) {
          case CONNECT -> true;
          case OVERLOADED -> state.others && overloaded == 1;
          case CLOSED, ATTEMPT_TIMEOUT, PROTOCOL -> state.idempotent;
          case APPLICATION, DOMAIN, DEADLINE, CLIENT_CLOSED -> false;
        };
  }

  /** Whether an attempt may be cut short: another can follow it. */
  static boolean isCut(State state, boolean token) {
    return state.attempt < state.attempts && state.idempotent && state.others && token;
  }

  /** How long an attempt may take. */
  static long limit(State state, boolean token, long attemptTimeout, long remaining) {
    return isCut(state, token) ? Math.min(attemptTimeout, remaining) : remaining;
  }

  /** How long to wait before a retry, 1 for the first, in microseconds. */
  static long backOffMicros(int retry, Randomness randomness) {
    long millis = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(retry - 1, MAX_DOUBLINGS));
    return randomness.below(millis * 1000 + 1);
  }
}
