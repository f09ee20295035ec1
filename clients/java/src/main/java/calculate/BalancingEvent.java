package calculate;

/**
 * Something that happened to a client of many instances.
 *
 * @param kind what
 * @param instance the id of the instance that it is about, or ""
 * @param text one line for a person to read, or ""
 */
public record BalancingEvent(Kind kind, String instance, String text) {
  /** What can happen. */
  public enum Kind {
    /** An instance is in the list. */
    INSTANCE_UP,
    /** An instance is not in the list any more, or is another under the same id. */
    INSTANCE_DOWN,
    /** An instance failed and is not called for some time. */
    INSTANCE_EJECTED,
    /** An ejected instance was probed, is well, and is called again. */
    INSTANCE_RETURNED,
    /** A call is made once more. */
    RETRY,
    /** A call took long, and a second copy of it was sent elsewhere. */
    HEDGE,
    /** The list may be out of date: the registry cannot be reached. */
    LIST_STALE,
    /** The list is up to date again. */
    LIST_FRESH,
    /** The registry named nobody; the list stays as it was. */
    LIST_EMPTY_IGNORED,
    /** A node of the registry does not describe an instance. */
    NODE_SKIPPED
  }
}
