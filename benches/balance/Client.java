import calculate.Balance;
import calculate.Balancing;
import calculate.BalancingEvent;
import calculate.CalculateClient;
import calculate.Options;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a client of several servers costs, in Java: see measure.py.
 *
 * <p>Client cpu CALLERS DIRECT BALANCED ROUNDS CALLS | memory TARGET CLIENTS | changes TARGET
 */
final class Client {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "cpu" ->
          cpu(
              Integer.parseInt(arguments[1]),
              arguments[2],
              arguments[3],
              Integer.parseInt(arguments[4]),
              Integer.parseInt(arguments[5]));
      case "memory" -> memory(arguments[1], Integer.parseInt(arguments[2]));
      default -> changes(arguments[1]);
    }
    System.exit(0);
  }

  /** CPU µs a call of so many callers at once, through either client; alternating. One blocks. */
  private static void cpu(int callers, String direct, String balanced, int rounds, int calls)
      throws Exception {
    Map<String, List<Double>> spent = new TreeMap<>();
    Options options = Options.defaults().withExecutor(Runnable::run);
    try (CalculateClient one = CalculateClient.connect(direct, options);
        CalculateClient several = CalculateClient.connect(balanced, options)) {
      Map<String, CalculateClient> clients = Map.of("direct", one, "balanced", several);
      // The first rounds are for the compiler.
      for (int round = -4; round < rounds; round++) {
        for (String name : List.of("direct", "balanced")) {
          long began = SYSTEM.getProcessCpuTime();
          if (callers == 1) {
            for (int i = 0; i < calls; i++) {
              clients.get(name).square(9);
            }
          } else {
            callAtOnce(clients.get(name), callers, calls);
          }
          double each = (SYSTEM.getProcessCpuTime() - began) / 1e3 / calls;
          if (round >= 0) {
            spent.computeIfAbsent('"' + name + '"', key -> new ArrayList<>()).add(each);
          }
        }
      }
    }
    System.out.println(spent.toString().replace("=", ":"));
  }

  private static void callAtOnce(CalculateClient client, int callers, int calls)
      throws InterruptedException {
    AtomicInteger left = new AtomicInteger(calls - callers);
    CountDownLatch ended = new CountDownLatch(callers);
    for (int i = 0; i < callers; i++) {
      callNext(client, left, ended);
    }
    ended.await();
  }

  private static void callNext(CalculateClient client, AtomicInteger left, CountDownLatch ended) {
    client
        .squareAsync(9)
        .whenComplete(
            (root, error) -> {
              if (error != null) {
                error.printStackTrace();
                System.exit(1);
              }
              if (left.getAndDecrement() > 0) {
                callNext(client, left, ended);
              } else {
                ended.countDown();
              }
            });
  }

  /** KiB of the heap that a client takes which knows its instances, and more for one that is connected to all of them. */
  private static void memory(String target, int clients) throws Exception {
    Options options =
        Options.defaults()
            .withBalancing(Balancing.defaults().withBalance(Balance.ROUND_ROBIN).withoutCacheFile());
    List<CalculateClient> kept = new ArrayList<>();
    kept.add(CalculateClient.connect(target, options));
    double before = usedKib();
    for (int i = 0; i < clients; i++) {
      kept.add(CalculateClient.connect(target, options));
    }
    double known = usedKib();
    for (int i = 0; i < 1000; i++) {
      kept.get(1).square(9);
    }
    double connected = usedKib() - known;
    System.out.printf("{\"known_kib\":%.1f,\"connected_kib\":%.1f}%n", (known - before) / clients, connected);
    kept.forEach(CalculateClient::close);
  }

  /** The heap after a collection, and buffers beside it. */
  private static double usedKib() throws Exception {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(100);
    }
    Runtime runtime = Runtime.getRuntime();
    long direct =
        ManagementFactory.getPlatformMXBeans(java.lang.management.BufferPoolMXBean.class).stream()
            .mapToLong(pool -> pool.getMemoryUsed())
            .sum();
    return (runtime.totalMemory() - runtime.freeMemory() + direct) / 1024.0;
  }

  /** Says when it has learnt of an instance: a line with its id, and the time in ns since 1970. */
  private static void changes(String target) throws Exception {
    Balancing balancing = Balancing.defaults().withoutCacheFile().withListener(Client::tell);
    try (CalculateClient client = CalculateClient.connect(target, Options.defaults().withBalancing(balancing))) {
      System.out.println("ready");
      System.in.read();
    }
  }

  private static void tell(BalancingEvent event) {
    if (event.kind() == BalancingEvent.Kind.INSTANCE_UP) {
      Instant now = Instant.now();
      System.out.println(event.instance() + " " + (now.getEpochSecond() * 1_000_000_000L + now.getNano()));
    }
  }
}
