package calculate;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * What may be said of one call. Immutable: each {@code with…} method answers a changed copy.
 *
 * <pre>{@code
 * client.square(9, CallOptions.key("customer-7").withTimeout(Duration.ofMillis(250)));
 * }</pre>
 */
public final class CallOptions {
  private static final CallOptions DEFAULTS = new CallOptions(null, null);

  /** Null for the client's. */
  private final Duration timeout;

  /** Null for none. */
  private final byte[] key;

  private CallOptions(Duration timeout, byte[] key) {
    this.timeout = timeout;
    this.key = key;
  }

  /**
   * The client's timeout, no key.
   *
   * @return the defaults
   */
  public static CallOptions defaults() {
    return DEFAULTS;
  }

  /**
   * A call with a key: with {@link Balance#HASH} calls with the same key go to the same instance.
   *
   * @param key what the call belongs to, hashed in UTF-8
   * @return options with this key
   */
  public static CallOptions key(String key) {
    return key(key.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * A call with a key, as {@link #key(String)}.
   *
   * @param key what the call belongs to
   * @return options with this key
   */
  public static CallOptions key(byte[] key) {
    return new CallOptions(null, key.clone());
  }

  /**
   * These options with a timeout.
   *
   * @param timeout of the call, instead of the client's; more than zero, at most 365 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public CallOptions withTimeout(Duration timeout) {
    return new CallOptions(Options.checked(timeout), key);
  }

  /**
   * How long the call may last.
   *
   * @return the timeout, or nothing for the client's
   */
  public Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  /** The key's bytes, or null. */
  byte[] keyBytes() {
    return key;
  }
}
