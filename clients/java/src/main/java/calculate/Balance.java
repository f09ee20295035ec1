package calculate;

/** How a client of many instances chooses whom to call. */
public enum Balance {
  /** Of two drawn by weight the one with less to do: calls in flight and latency count. */
  LEAST_LOADED,
  /** One after the other. */
  ROUND_ROBIN,
  /** Any. */
  RANDOM,
  /** Any, in proportion to the weights. */
  WEIGHTED,
  /**
   * The same for the same key ({@link CallOptions#key}), as long as it has no more than its share;
   * calls without a key go by LEAST_LOADED.
   */
  HASH
}
