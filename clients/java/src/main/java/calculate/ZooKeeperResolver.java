package calculate;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.data.Stat;

/**
 * The instances of a service in ZooKeeper: the children of its node, as Curator's x-discovery lays
 * them out. They are watched, and read anew on every new connection and every 60 s.
 */
final class ZooKeeperResolver implements Resolver {
  private static final int SESSION_MILLIS = 10_000;
  private static final int CONNECT_MILLIS = 5000;
  private static final int RETRY_MILLIS = 500;
  private static final int FIRST_MILLIS = 1000;
  private static final int CLOSE_MILLIS = 500;
  private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /**
   * What a node said.
   *
   * @param version its transaction: another one for every change
   * @param instance null if it does not describe one
   */
  private record Node(long version, Instance instance) {}

  private final ServiceTarget.ZooKeeper service;
  private final Optional<ZooKeeperTls> tls;
  private final CuratorFramework curator;
  private final Thread thread;
  private final Watcher watcher = this::changed;
  private Sink sink;

  // Guarded by this: what is to be read. Every connection has all of it read, also the first.
  private final Set<String> changed = new HashSet<>();
  private boolean all;
  private boolean some;
  private boolean closed;

  /** Used by the thread alone. */
  private final Map<String, Node> nodes = new HashMap<>();

  ZooKeeperResolver(ServiceTarget.ZooKeeper service, Optional<String> auth, Optional<Tls> tls) {
    this.service = service;
    this.tls = tls.map(each -> new ZooKeeperTls(each, service.servers()));
    CuratorFrameworkFactory.Builder builder =
        CuratorFrameworkFactory.builder()
            .connectString(service.servers())
            .sessionTimeoutMs(SESSION_MILLIS)
            .connectionTimeoutMs(CONNECT_MILLIS)
            .retryPolicy(new RetryOneTime(RETRY_MILLIS))
            // The servers that were named are called, not what the ensemble says of itself.
            .ensembleTracker(false);
    auth.ifPresent(each -> builder.authorization("digest", each.getBytes(StandardCharsets.UTF_8)));
    this.tls.ifPresent(each -> builder.zkClientConfig(each.config()));
    this.curator = builder.build();
    this.thread = new Thread(this::run, "calculate-registry-" + service.path());
    this.thread.setDaemon(true);
  }

  @Override
  public void start(Sink sink) {
    this.sink = sink;
    curator.getConnectionStateListenable().addListener((client, state) -> became(state));
    curator.start();
    thread.start();
  }

  @Override
  public void refresh() {
    // What changes is told by ZooKeeper.
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    thread.interrupt();
    closeCurator();
  }

  /** Ends the session; not waiting long for a server that cannot be reached. */
  private void closeCurator() {
    Runnable close =
        () -> {
          curator.close();
          tls.ifPresent(ZooKeeperTls::close);
        };
    Thread closing = new Thread(close, "calculate-registry-close");
    closing.setDaemon(true);
    closing.start();
    try {
      closing.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void became(ConnectionState state) {
    if (state.isConnected()) {
      sink.connected();
      synchronized (this) {
        all = true;
        some = true;
        notifyAll();
      }
    } else {
      sink.lost();
    }
  }

  private synchronized void changed(WatchedEvent event) {
    if (event.getPath() == null) {
      return;
    }
    if (event.getPath().length() > service.path().length()) {
      changed.add(event.getPath().substring(service.path().length() + 1));
    }
    some = true;
    notifyAll();
  }

  private void run() {
    try {
      if (!curator.blockUntilConnected(FIRST_MILLIS, TimeUnit.MILLISECONDS)) {
        sink.failed(unreachable(), false);
      }
      while (await()) {
        try {
          read();
        } catch (InterruptedException e) {
          throw e;
        } catch (KeeperException.ConnectionLossException e) {
          failed(unreachable(), false);
        } catch (KeeperException e) {
          failed(e.code() + " at " + service.path(), e instanceof KeeperException.NoAuthException);
        } catch (Exception e) {
          failed(OneLine.of(String.valueOf(e)), false);
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /** Until there is something to read; false when this is closed. */
  private synchronized boolean await() throws InterruptedException {
    long end = System.nanoTime() + PERIOD_NANOS;
    while (!some && !closed) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        all = true;
        some = true;
      } else {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      }
    }
    some = false;
    return !closed;
  }

  private void read() throws Exception {
    Set<String> anew;
    boolean everything;
    synchronized (this) {
      anew = new HashSet<>(changed);
      changed.clear();
      everything = all;
      all = false;
    }
    try {
      List<String> names = names();
      nodes.keySet().retainAll(names);
      for (String name : names) {
        if (everything || anew.contains(name) || !nodes.containsKey(name)) {
          readNode(name);
        }
      }
    } catch (Exception e) {
      synchronized (this) {
        all = true;
      }
      throw e;
    }
    sink.read(nodes.values().stream().map(Node::instance).filter(Objects::nonNull).toList());
  }

  private List<String> names() throws Exception {
    try {
      return curator.getChildren().usingWatcher(watcher).forPath(service.path());
    } catch (KeeperException.NoNodeException e) {
      if (curator.checkExists().usingWatcher(watcher).forPath(service.path()) != null) {
        // It came between the two.
        return curator.getChildren().usingWatcher(watcher).forPath(service.path());
      }
      return List.of();
    }
  }

  private void readNode(String name) throws Exception {
    Stat stat = new Stat();
    try {
      byte[] content =
          curator
              .getData()
              .storingStatIn(stat)
              .usingWatcher(watcher)
              .forPath(service.path() + "/" + name);
      Node before = nodes.get(name);
      if (before == null || before.version != stat.getMzxid()) {
        nodes.put(name, new Node(stat.getMzxid(), instance(name, content)));
      }
    } catch (KeeperException.NoNodeException e) {
      nodes.remove(name);
    }
  }

  private Instance instance(String name, byte[] content) {
    try {
      return InstanceNode.read(name, content == null ? new byte[0] : content);
    } catch (InstanceNode.Skipped e) {
      sink.skipped(name, e.getMessage());
      return null;
    }
  }

  private String unreachable() {
    return tls.flatMap(ZooKeeperTls::fault)
        .orElse(
            "no connection to ZooKeeper at "
                + service.servers()
                + "; does it run there"
                + (tls.isEmpty() ? ", and without TLS?" : "?"));
  }

  /** Tries again in a while; a new connection is a reason to do so at once. */
  private void failed(String why, boolean isAnswer) throws InterruptedException {
    sink.failed(why, isAnswer);
    synchronized (this) {
      if (closed) {
        return;
      }
      if (!some) {
        TimeUnit.NANOSECONDS.timedWait(this, PAUSE_NANOS);
      }
      some = true;
    }
  }
}
