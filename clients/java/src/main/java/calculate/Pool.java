package calculate;

/** The connections to one instance. They are made when they are needed. Thread-safe. */
final class Pool {
  private final Target target;
  private final Options options;
  private final Balancing settings;
  private final IoThread io;
  private final Randomness randomness;
  private final Runnable atConnect;
  private final Lease[] slots;
  private boolean retired;

  Pool(
      Target target,
      Options options,
      Balancing settings,
      IoThread io,
      Randomness randomness,
      Runnable atConnect) {
    this.target = target;
    this.options = options;
    this.settings = settings;
    this.io = io;
    this.randomness = randomness;
    this.atConnect = atConnect;
    this.slots = new Lease[settings.connectionsPerInstance()];
  }

  /** A connection, and how many use it. Guarded by the pool. */
  static final class Lease {
    private final ThriftClient client;
    private final long replacedAtNanos;
    private int users;
    private long usedAtNanos;
    private boolean retired;

    private Lease(ThriftClient client, long replacedAtNanos) {
      this.client = client;
      this.replacedAtNanos = replacedAtNanos;
    }

    ThriftClient client() {
      return client;
    }
  }

  /** The connection with the fewest users, for one more; {@link #release} follows. */
  synchronized Lease lease() {
    int best = 0;
    for (int i = 0; i < slots.length; i++) {
      if (slots[i] == null || slots[best] != null && slots[i].users < slots[best].users) {
        best = i;
      }
      if (slots[i] == null || slots[i].users == 0) {
        best = i;
        break;
      }
    }
    if (slots[best] == null) {
      slots[best] = open();
    }
    Lease lease = slots[best];
    lease.users++;
    return lease;
  }

  /** One user less. */
  void release(Lease lease) {
    boolean over;
    synchronized (this) {
      lease.users--;
      lease.usedAtNanos = System.nanoTime();
      over = lease.users == 0 && (lease.retired || retired);
    }
    if (over) {
      lease.client.close();
    }
  }

  /** Lets go of connections that are idle or old: they close with their last call. */
  void tick() {
    long now = System.nanoTime();
    for (int i = 0; i < slots.length; i++) {
      ThriftClient idle = null;
      synchronized (this) {
        Lease lease = slots[i];
        if (lease != null && isOver(lease, now)) {
          slots[i] = null;
          lease.retired = true;
          idle = lease.users == 0 ? lease.client : null;
        }
      }
      if (idle != null) {
        idle.close();
      }
    }
  }

  /** The instance has left the list: connections close with their last calls. */
  void retire() {
    for (Lease lease : slots.clone()) {
      boolean idle;
      synchronized (this) {
        retired = true;
        idle = lease != null && lease.users == 0;
      }
      if (idle) {
        lease.client.close();
      }
    }
  }

  /** Closes all; what is in flight ends with ConnectionClosed. */
  void close() {
    Lease[] open;
    synchronized (this) {
      retired = true;
      open = slots.clone();
    }
    for (Lease lease : open) {
      if (lease != null) {
        lease.client.close();
      }
    }
  }

  private Lease open() {
    long age = settings.maxConnectionAge().toNanos();
    long jittered = age / 1000 * (900 + randomness.below(201));
    Lease lease =
        new Lease(new ThriftClient(target, options, io, atConnect), System.nanoTime() + jittered);
    lease.usedAtNanos = System.nanoTime();
    return lease;
  }

  private boolean isOver(Lease lease, long now) {
    boolean idle = lease.users == 0 && now - lease.usedAtNanos > settings.idleClose().toNanos();
    return idle || now - lease.replacedAtNanos > 0;
  }
}
