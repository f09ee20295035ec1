package calculate.bench;

import java.util.List;
import java.util.Locale;

/**
 * Measures this client against a peer, in turns within one process, so that both meet the same
 * machine. Run it pinned to core 1; the servers it starts are pinned to core 0.
 */
public final class Bench {
  private static final int WARM_UP_ROUNDS = 40;
  private static final int ROUNDS = 151;

  private Bench() {}

  /**
   * Runs a benchmark, or the gRPC server that one starts.
   *
   * @param args blocking, blocking-timeout or async, then --json if wanted; or grpc-server
   */
  public static void main(String[] args) throws Exception {
    List<String> given = List.of(args);
    if (given.contains("grpc-server")) {
      GrpcPeer.serve();
    } else if (given.contains("blocking")) {
      print(blocking(0), given.contains("--json"));
    } else if (given.contains("blocking-timeout")) {
      print(blocking(5_000), given.contains("--json"));
    } else if (given.contains("async")) {
      print(asynchronous(), given.contains("--json"));
    } else {
      System.err.println(
          "usage: taskset -c 1 java -jar bench.jar blocking|blocking-timeout|async [--json]");
      System.exit(2);
    }
    System.exit(0);
  }

  private static Comparison blocking(int timeoutMillis) throws Exception {
    try (ServerProcess server = ServerProcess.calculate();
        Contestant ours = new OursBlocking(server.address());
        Contestant theirs = new LibthriftBlocking(server.address(), timeoutMillis)) {
      return Comparison.of("blocking, one caller", ours, theirs, WARM_UP_ROUNDS, ROUNDS);
    }
  }

  private static Comparison asynchronous() throws Exception {
    try (ServerProcess server = ServerProcess.calculate();
        ServerProcess grpcServer = ServerProcess.grpc();
        Contestant ours = new OursAsync(server.address());
        Contestant theirs = new GrpcPeer(grpcServer.address())) {
      return Comparison.of("asynchronous, 256 in flight", ours, theirs, WARM_UP_ROUNDS, ROUNDS);
    }
  }

  private static void print(Comparison comparison, boolean json) {
    System.out.println(json ? comparison.json() : comparison.text());
  }

  static String number(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }
}
