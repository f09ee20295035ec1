package calculate;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * What may be set on a client. Immutable: each {@code with…} method answers a changed copy.
 *
 * <pre>{@code
 * Options options = Options.defaults().withTimeout(Duration.ofMillis(250)).withProtocol(Protocol.COMPACT);
 * }</pre>
 */
public final class Options {
  private static final Duration MAX_TIMEOUT = Duration.ofDays(365);
  private static final int MAX_MAX_MESSAGE_BYTES = 1 << 30;
  private static final Options DEFAULTS =
      new Options(
          Duration.ofSeconds(5),
          Protocol.BINARY,
          Framing.FRAMED,
          16_384_000,
          Runnable::run,
          null,
          Balancing.defaults());

  private final Duration timeout;
  private final Protocol protocol;
  private final Framing framing;
  private final int maxMessageBytes;
  private final Executor executor;

  /** Null for plain connections. */
  private final Tls tls;

  private final Balancing balancing;

  private Options(
      Duration timeout,
      Protocol protocol,
      Framing framing,
      int maxMessageBytes,
      Executor executor,
      Tls tls,
      Balancing balancing) {
    this.timeout = timeout;
    this.protocol = protocol;
    this.framing = framing;
    this.maxMessageBytes = maxMessageBytes;
    this.executor = executor;
    this.tls = tls;
    this.balancing = balancing;
  }

  /**
   * A timeout of 5 s, the binary protocol, framed, replies of at most 16,384,000 bytes, completions
   * on the client's own thread, connections without TLS.
   *
   * @return the defaults
   */
  public static Options defaults() {
    return DEFAULTS;
  }

  /**
   * How long a call may last, over connecting, sending and waiting together, unless it says
   * otherwise itself. Resolving a host's name is the one thing that cannot be cut short.
   *
   * @return more than zero, at most 365 days
   */
  public Duration timeout() {
    return timeout;
  }

  /**
   * How messages are written.
   *
   * @return the protocol
   */
  public Protocol protocol() {
    return protocol;
  }

  /**
   * How messages follow one another.
   *
   * @return the framing
   */
  public Framing framing() {
    return framing;
  }

  /**
   * The longest reply that is accepted, in bytes without a frame's header; a longer one is a {@link
   * ProtocolError}, before memory is reserved for it.
   *
   * @return 1 to 2^30
   */
  public int maxMessageBytes() {
    return maxMessageBytes;
  }

  /**
   * What completes the futures of asynchronous calls, and so runs the callbacks that are attached
   * to them without an executor of their own.
   *
   * @return the executor
   */
  public Executor executor() {
    return executor;
  }

  /**
   * How connections are encrypted, and servers and clients known.
   *
   * @return TLS, or nothing for plain connections
   */
  public Optional<Tls> tls() {
    return Optional.ofNullable(tls);
  }

  /**
   * How a client of many instances deals with them.
   *
   * @return the settings
   */
  public Balancing balancing() {
    return balancing;
  }

  /**
   * These options with another timeout.
   *
   * @param timeout more than zero, at most 365 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Options withTimeout(Duration timeout) {
    return new Options(
        checked(timeout), protocol, framing, maxMessageBytes, executor, tls, balancing);
  }

  /**
   * These options with another protocol.
   *
   * @param protocol what the server speaks
   * @return a changed copy
   */
  public Options withProtocol(Protocol protocol) {
    return new Options(
        timeout,
        Objects.requireNonNull(protocol),
        framing,
        maxMessageBytes,
        executor,
        tls,
        balancing);
  }

  /**
   * These options with another framing.
   *
   * @param framing what the server expects
   * @return a changed copy
   */
  public Options withFraming(Framing framing) {
    return new Options(
        timeout,
        protocol,
        Objects.requireNonNull(framing),
        maxMessageBytes,
        executor,
        tls,
        balancing);
  }

  /**
   * These options with another bound on replies.
   *
   * @param maxMessageBytes 1 to 2^30
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Options withMaxMessageBytes(int maxMessageBytes) {
    if (maxMessageBytes < 1 || maxMessageBytes > MAX_MAX_MESSAGE_BYTES) {
      throw new IllegalArgumentException(
          "maxMessageBytes is " + maxMessageBytes + ": give 1 to " + MAX_MAX_MESSAGE_BYTES);
    }
    return new Options(timeout, protocol, framing, maxMessageBytes, executor, tls, balancing);
  }

  /**
   * These options with another executor. Without one, futures are completed on the client's I/O
   * thread: the fastest way, but a callback that is slow, or that waits for another call of this
   * client, holds all asynchronous calls up. Give an executor to have such callbacks.
   *
   * @param executor runs completions; where it refuses one, the I/O thread runs it
   * @return a changed copy
   */
  public Options withExecutor(Executor executor) {
    return new Options(
        timeout,
        protocol,
        framing,
        maxMessageBytes,
        Objects.requireNonNull(executor),
        tls,
        balancing);
  }

  /**
   * These options with TLS. Its handshake is part of connecting.
   *
   * @param tls whom to trust, and who we are
   * @return a changed copy
   */
  public Options withTls(Tls tls) {
    return new Options(
        timeout,
        protocol,
        framing,
        maxMessageBytes,
        executor,
        Objects.requireNonNull(tls),
        balancing);
  }

  /**
   * These options with other settings for clients of many instances.
   *
   * @param balancing how they are dealt with
   * @return a changed copy
   */
  public Options withBalancing(Balancing balancing) {
    return new Options(
        timeout,
        protocol,
        framing,
        maxMessageBytes,
        executor,
        tls,
        Objects.requireNonNull(balancing));
  }

  /** The timeout, if it is within bounds. */
  static Duration checked(Duration timeout) {
    if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(MAX_TIMEOUT) > 0) {
      throw new IllegalArgumentException(
          "the timeout is "
              + timeout
              + ": give more than zero, at most "
              + MAX_TIMEOUT.toDays()
              + " days");
    }
    return timeout;
  }
}
