package calculate;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What may be set on a client of many instances: one whose target is a list, {@code dns://} or
 * {@code zk://}. A client of one server has no use for it. Immutable: each {@code with…} method
 * answers a changed copy.
 *
 * <pre>{@code
 * Options options =
 *     Options.defaults().withBalancing(Balancing.defaults().withBalance(Balance.HASH).withZone("west"));
 * }</pre>
 */
public final class Balancing implements Cloneable {
  private static final int MAX_ATTEMPTS = 3;
  private static final int MAX_CONNECTIONS = 64;
  private static final Balancing DEFAULTS = new Balancing();

  private Balance balance = Balance.LEAST_LOADED;
  private String zone = "";
  private Path cacheFile;
  private boolean hasCacheFile = true;
  private int connectionsPerInstance = 1;
  private Duration attemptTimeout = Duration.ofSeconds(1);
  private int attempts = MAX_ATTEMPTS;
  private boolean hedge;
  private Duration warmUp = Duration.ofSeconds(1);
  private Duration idleClose = Duration.ofSeconds(60);
  private Duration maxConnectionAge = Duration.ofSeconds(600);
  private String zooKeeperAuth;
  private Tls zooKeeperTls;
  private Consumer<BalancingEvent> listener = event -> {};

  private Balancing() {}

  /**
   * The least loaded of two, no zone, the list of a registry cached on disk, one connection to each
   * instance, 3 attempts of 1 s, no hedging, 1 s of warm-up, idle connections closed after 60 s,
   * others renewed after 600 s.
   *
   * @return the defaults
   */
  public static Balancing defaults() {
    return DEFAULTS;
  }

  /**
   * How the client chooses whom to call.
   *
   * @return the strategy
   */
  public Balance balance() {
    return balance;
  }

  /**
   * Where the client is: instances of the same zone are called first.
   *
   * @return the zone, "" for none
   */
  public String zone() {
    return zone;
  }

  /**
   * Where the registry's list is kept for a start without the registry.
   *
   * @return the file that was named, or nothing: then it is a file in {@code $XDG_CACHE_HOME} or
   *     {@code ~/.cache}, below {@code calculate}, if it may be written
   */
  public Optional<Path> cacheFile() {
    return Optional.ofNullable(cacheFile);
  }

  /** Whether there is such a file. */
  boolean hasCacheFile() {
    return hasCacheFile;
  }

  /**
   * How many connections to each instance.
   *
   * @return 1 to 64
   */
  public int connectionsPerInstance() {
    return connectionsPerInstance;
  }

  /**
   * How long an attempt may take that can be followed by another one elsewhere.
   *
   * @return more than zero
   */
  public Duration attemptTimeout() {
    return attemptTimeout;
  }

  /**
   * How often a call is tried, at most.
   *
   * @return 1 to 3
   */
  public int attempts() {
    return attempts;
  }

  /**
   * Whether a second copy of a call is sent elsewhere when the first takes longer than 95 of 100
   * answers did.
   *
   * @return whether it is
   */
  public boolean hedge() {
    return hedge;
  }

  /**
   * How long an instance that came after the first list gets less calls than its weight says.
   *
   * @return zero for no warm-up
   */
  public Duration warmUp() {
    return warmUp;
  }

  /**
   * After how long without a call a connection is closed.
   *
   * @return more than zero
   */
  public Duration idleClose() {
    return idleClose;
  }

  /**
   * After how long a connection is replaced by a new one, up to 10 % more or less.
   *
   * @return more than zero
   */
  public Duration maxConnectionAge() {
    return maxConnectionAge;
  }

  /**
   * What the client shows to ZooKeeper's digest scheme.
   *
   * @return user:password, or nothing
   */
  public Optional<String> zooKeeperAuth() {
    return Optional.ofNullable(zooKeeperAuth);
  }

  /**
   * Whether ZooKeeper is spoken to under TLS, and how.
   *
   * @return the TLS, or nothing
   */
  public Optional<Tls> zooKeeperTls() {
    return Optional.ofNullable(zooKeeperTls);
  }

  /** What is told of events. */
  Consumer<BalancingEvent> listener() {
    return listener;
  }

  /**
   * These settings with another strategy.
   *
   * @param balance how to choose whom to call
   * @return a changed copy
   */
  public Balancing withBalance(Balance balance) {
    Objects.requireNonNull(balance);
    return changed(copy -> copy.balance = balance);
  }

  /**
   * These settings with a zone. The zone of a {@code zk://} target goes before it.
   *
   * @param zone where the client is, "" for none
   * @return a changed copy
   */
  public Balancing withZone(String zone) {
    Objects.requireNonNull(zone);
    return changed(copy -> copy.zone = zone);
  }

  /**
   * These settings with a file for the registry's list.
   *
   * @param file read when the registry cannot be reached at the start, and written
   * @return a changed copy
   */
  public Balancing withCacheFile(Path file) {
    Objects.requireNonNull(file);
    return changed(
        copy -> {
          copy.cacheFile = file;
          copy.hasCacheFile = true;
        });
  }

  /**
   * These settings without a file for the registry's list.
   *
   * @return a changed copy
   */
  public Balancing withoutCacheFile() {
    return changed(
        copy -> {
          copy.cacheFile = null;
          copy.hasCacheFile = false;
        });
  }

  /**
   * These settings with another number of connections.
   *
   * @param connections to each instance, 1 to 64
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Balancing withConnectionsPerInstance(int connections) {
    checkBounds("connectionsPerInstance", connections, MAX_CONNECTIONS);
    return changed(copy -> copy.connectionsPerInstance = connections);
  }

  /**
   * These settings with another time for attempts.
   *
   * @param timeout more than zero, at most 365 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Balancing withAttemptTimeout(Duration timeout) {
    Options.checked(timeout);
    return changed(copy -> copy.attemptTimeout = timeout);
  }

  /**
   * These settings with another number of attempts.
   *
   * @param attempts 1 to 3; with 1 nothing is retried
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Balancing withAttempts(int attempts) {
    checkBounds("attempts", attempts, MAX_ATTEMPTS);
    return changed(copy -> copy.attempts = attempts);
  }

  /**
   * These settings with or without hedging.
   *
   * @param hedge whether calls that take long are sent a second time
   * @return a changed copy
   */
  public Balancing withHedge(boolean hedge) {
    return changed(copy -> copy.hedge = hedge);
  }

  /**
   * These settings with another warm-up.
   *
   * @param warmUp zero for none, at most 365 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Balancing withWarmUp(Duration warmUp) {
    if (!warmUp.isZero()) {
      Options.checked(warmUp);
    }
    return changed(copy -> copy.warmUp = warmUp);
  }

  /**
   * These settings with another time after which idle connections are closed.
   *
   * @param idle more than zero, at most 365 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Balancing withIdleClose(Duration idle) {
    Options.checked(idle);
    return changed(copy -> copy.idleClose = idle);
  }

  /**
   * These settings with another age at which connections are replaced.
   *
   * @param age more than zero, at most 365 days
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of bounds
   */
  public Balancing withMaxConnectionAge(Duration age) {
    Options.checked(age);
    return changed(copy -> copy.maxConnectionAge = age);
  }

  /**
   * These settings with a user of ZooKeeper's digest scheme.
   *
   * @param userAndPassword user:password
   * @return a changed copy
   * @throws IllegalArgumentException if it has no colon
   */
  public Balancing withZooKeeperAuth(String userAndPassword) {
    if (userAndPassword.indexOf(':') <= 0) {
      throw new IllegalArgumentException("zooKeeperAuth is not user:password");
    }
    return changed(copy -> copy.zooKeeperAuth = userAndPassword);
  }

  /**
   * These settings with TLS to ZooKeeper, whose certificate has to be for its host. A certificate
   * of the client's own and its key are written to a temporary file that only the user can read,
   * for as long as the client is open: ZooKeeper's library takes nothing else.
   *
   * @param tls of {@link Tls#system()} or {@link Tls#ca}, with a certificate or without
   * @return a changed copy
   * @throws IllegalArgumentException if it has a server name, a context of the caller's own, or a
   *     key that ZooKeeper's library cannot use
   */
  public Balancing withZooKeeperTls(Tls tls) {
    ZooKeeperTls.check(tls);
    return changed(copy -> copy.zooKeeperTls = tls);
  }

  /**
   * These settings with somebody to tell what happens to instances and calls.
   *
   * @param listener called on whatever thread it happens, and holding that up; what it throws is
   *     ignored
   * @return a changed copy
   */
  public Balancing withListener(Consumer<BalancingEvent> listener) {
    Objects.requireNonNull(listener);
    return changed(copy -> copy.listener = listener);
  }

  private static void checkBounds(String name, int value, int max) {
    if (value < 1 || value > max) {
      throw new IllegalArgumentException(name + " is " + value + ": give 1 to " + max);
    }
  }

  private Balancing changed(Consumer<Balancing> change) {
    try {
      Balancing copy = (Balancing) clone();
      change.accept(copy);
      return copy;
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }
}
