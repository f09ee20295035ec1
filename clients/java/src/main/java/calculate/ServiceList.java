package calculate;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings the list of a service from its registry, or at a cold start from the disk. */
final class ServiceList implements Resolver.Sink {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceList.class);
  private static final long REGISTRY_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long WRITE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final String service;
  private final Resolver resolver;
  private final Balancer balancer;
  private final Events events;
  private final Optional<CacheFile> cache;
  private final Optional<Tls> tls;

  /** Those that were told of. */
  private final Set<Instance> unnamable = ConcurrentHashMap.newKeySet();

  /** Open until the registry has named its instances, or said that it does not. */
  private final CountDownLatch answered = new CountDownLatch(1);

  private volatile String failure = "";

  // Guarded by this.
  private List<Instance> written = List.of();
  private long writtenAtNanos = System.nanoTime() - WRITE_NANOS;

  ServiceList(
      String text, ServiceTarget target, Options options, Balancer balancer, Events events) {
    Balancing settings = options.balancing();
    this.tls = optionsFor(target, options).tls();
    this.service = OneLine.of(text);
    this.balancer = balancer;
    this.events = events;
    this.resolver = resolver(target, settings);
    this.cache = cache(text, target, settings);
  }

  /** What is asked for by a target. */
  static Wanted wanted(ServiceTarget target, Options options) {
    String zone = options.balancing().zone();
    boolean tls = options.tls().isPresent();
    return target instanceof ServiceTarget.ZooKeeper service
        ? new Wanted(
            service.versions(),
            service.group(),
            service.zone().isEmpty() ? zone : service.zone(),
            tls)
        : new Wanted(VersionRange.ANY, Instance.DEFAULT_GROUP, zone, tls);
  }

  /** The options of a connection to an instance. */
  static Options optionsFor(ServiceTarget target, Options options) {
    if (options.tls().isPresent() && target instanceof ServiceTarget.Dns dns) {
      // The certificate is for the name, not for one of its addresses.
      return options.withTls(options.tls().get().orServerName(ServerName.of(dns.server())));
    }
    return options;
  }

  /**
   * Waits for the first list.
   *
   * @throws ConnectError if there is none in time, or an empty one
   */
  void start(Deadline deadline) {
    resolver.start(this);
    if (!await(Math.min(REGISTRY_NANOS, deadline.leftNanos())) && cache.isPresent()) {
      balancer.cached(cache.get().read().stream().filter(this::isNamable).toList());
    }
    if (balancer.members().isEmpty() && !await(deadline.leftNanos())) {
      throw BalancingErrors.unreachable(service, "within " + deadline.timeout(), failure);
    }
    if (balancer.members().isEmpty()) {
      throw failure.isEmpty()
          ? BalancingErrors.noInstance(service, 0)
          : BalancingErrors.unreachable(service, "can be had", failure);
    }
  }

  /** A call has failed. */
  void refresh() {
    resolver.refresh();
  }

  /** Writes the list where it has changed, once a second at most. */
  void tick() {
    write(false);
  }

  void close() {
    resolver.close();
    write(true);
  }

  @Override
  public void connected() {
    balancer.connected();
    events.tell();
  }

  @Override
  public void lost() {
    balancer.lost();
    events.tell();
  }

  @Override
  public void read(List<Instance> found) {
    balancer.read(found.stream().filter(this::isNamable).toList());
    failure = "";
    answered.countDown();
    events.tell();
  }

  @Override
  public void skipped(String node, String why) {
    LOG.warn("the node {} of {} {}: it is skipped", OneLine.of(node), service, why);
    events.note(BalancingEvent.Kind.NODE_SKIPPED, node, why);
    events.tell();
  }

  @Override
  public void failed(String why, boolean isAnswer) {
    failure = why;
    if (isAnswer) {
      answered.countDown();
    }
    LOG.warn("the list of instances of {} cannot be read: {}", service, why);
  }

  /** Whether TLS knows what its certificate has to be for. */
  private boolean isNamable(Instance instance) {
    boolean namable =
        tls.isEmpty() || !instance.hasPort(true) || tls.get().hasNameFor(instance.target(true));
    if (!namable && unnamable.add(instance)) {
      skipped(instance.id(), "has an address that no certificate can be for");
    }
    return namable;
  }

  private boolean await(long nanos) {
    try {
      return answered.await(Math.max(0, nanos), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw BalancingErrors.interrupted(service, "connecting");
    }
  }

  private synchronized void write(boolean now) {
    boolean due = now || System.nanoTime() - writtenAtNanos >= WRITE_NANOS;
    if (cache.isEmpty() || !due || answered.getCount() > 0) {
      return;
    }
    List<Instance> instances = balancer.instances();
    if (!instances.isEmpty() && !instances.equals(written)) {
      cache.get().write(instances, System.currentTimeMillis());
      written = instances;
      writtenAtNanos = System.nanoTime();
    }
  }

  private static Resolver resolver(ServiceTarget target, Balancing settings) {
    if (target instanceof ServiceTarget.ZooKeeper service) {
      return new ZooKeeperResolver(service, settings.zooKeeperAuth(), settings.zooKeeperTls());
    }
    if (target instanceof ServiceTarget.Dns dns) {
      return new DnsResolver(dns.server());
    }
    return new StaticResolver(((ServiceTarget.Several) target).servers());
  }

  private static Optional<CacheFile> cache(String text, ServiceTarget target, Balancing settings) {
    boolean wanted =
        settings.hasCacheFile()
            && (settings.cacheFile().isPresent() || target instanceof ServiceTarget.ZooKeeper);
    if (!wanted) {
      return Optional.empty();
    }
    Path path = settings.cacheFile().orElseGet(() -> CacheFile.defaultPath(text));
    return Optional.of(new CacheFile(path, text));
  }
}
