package calculate;

import picocli.CommandLine.Option;

/** What a command line says of many instances. */
final class BalancingArguments {
  /** When a second copy of a call is sent. */
  enum Hedge {
    off,
    p95
  }

  @Option(
      names = "--balance",
      paramLabel = "STRATEGY",
      description = "least_loaded (the default), round_robin, random, weighted or hash")
  private Balance balance = Balancing.defaults().balance();

  @Option(
      names = "--key",
      paramLabel = "TEXT",
      description = "what the calls belong to, for --balance hash")
  private String key;

  @Option(names = "--zone", paramLabel = "NAME", description = "whose servers are called first")
  private String zone = "";

  @Option(names = "--attempts", paramLabel = "N", description = "of a call, 1 to 3; default: 3")
  private int attempts = Balancing.defaults().attempts();

  @Option(
      names = "--hedge",
      paramLabel = "off|p95",
      description = "ask a second server when one is slow; default: off")
  private Hedge hedge = Hedge.off;

  /**
   * The settings.
   *
   * @throws IllegalArgumentException if one is not right
   */
  Balancing read() {
    return Balancing.defaults()
        .withBalance(balance)
        .withZone(zone)
        .withAttempts(attempts)
        .withHedge(hedge == Hedge.p95);
  }

  /** What is said of each call. */
  CallOptions call() {
    return key == null ? CallOptions.defaults() : CallOptions.key(key);
  }
}
