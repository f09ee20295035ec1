package calculate;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * All addresses of a name, looked up anew every 10 s and after a failure. The Java runtime keeps
 * addresses for 30 s unless {@code networkaddress.cache.ttl} says otherwise.
 */
final class DnsResolver implements Resolver {
  private static final long PERIOD_MILLIS = 10_000;
  private static final long LEAST_MILLIS = 1000;

  private final Target.Tcp server;
  private final Semaphore wanted = new Semaphore(0);
  private final Thread thread;
  private volatile boolean closed;
  private Sink sink;

  /** Whether the name was found last. Used by the thread alone. */
  private boolean answers;

  DnsResolver(Target.Tcp server) {
    this.server = server;
    this.thread = new Thread(this::run, "calculate-dns-" + server);
    this.thread.setDaemon(true);
  }

  @Override
  public void start(Sink sink) {
    this.sink = sink;
    thread.start();
  }

  @Override
  public void refresh() {
    if (wanted.availablePermits() == 0) {
      wanted.release();
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }

  private void run() {
    try {
      while (!closed) {
        lookUp();
        TimeUnit.MILLISECONDS.sleep(LEAST_MILLIS);
        wanted.tryAcquire(PERIOD_MILLIS - LEAST_MILLIS, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  private void lookUp() {
    try {
      List<Instance> found =
          Arrays.stream(InetAddress.getAllByName(server.host()))
              .map(address -> new Target.Tcp(address.getHostAddress(), server.port()))
              .distinct()
              .map(Instance::at)
              .toList();
      if (!answers) {
        answers = true;
        sink.connected();
      }
      sink.read(found);
    } catch (UnknownHostException e) {
      answers = false;
      sink.lost();
      sink.failed("the name " + server.host() + " is unknown", true);
    }
  }
}
