package calculate.bench;

import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * Medians over interleaved rounds: what a call costs on each side, in time and in CPU time of the
 * whole process.
 */
record Comparison(String what, Side ours, Side theirs, double ratio) {
  /** One side. */
  record Side(String name, double callsPerSecond, double microsPerCall, double cpuMicrosPerCall) {}

  /** One round. */
  private record Sample(double micros, double cpuMicros) {}

  static Comparison of(String what, Contestant ours, Contestant theirs, int warmUp, int rounds)
      throws Exception {
    Sample[] our = new Sample[rounds];
    Sample[] their = new Sample[rounds];
    double[] ratios = new double[rounds];
    for (int i = -warmUp; i < rounds; i++) {
      Sample one = measure(ours);
      Sample other = measure(theirs);
      if (i >= 0) {
        our[i] = one;
        their[i] = other;
        ratios[i] = other.micros() / one.micros();
      }
    }
    return new Comparison(what, side(ours, our), side(theirs, their), median(ratios));
  }

  String text() {
    return what
        + "\n"
        + text(ours)
        + "\n"
        + text(theirs)
        + "\n  ratio of calls/s (median of rounds): "
        + Bench.number(ratio);
  }

  String json() {
    return "{\"benchmark\": \""
        + what
        + "\", \"ours\": "
        + json(ours)
        + ", \"theirs\": "
        + json(theirs)
        + ", \"ratio\": "
        + Bench.number(ratio)
        + "}";
  }

  private static String text(Side side) {
    return "  "
        + side.name()
        + ": "
        + Math.round(side.callsPerSecond())
        + " calls/s, "
        + Bench.number(side.microsPerCall())
        + " us a call, "
        + Bench.number(side.cpuMicrosPerCall())
        + " us of CPU";
  }

  private static String json(Side side) {
    return "{\"name\": \""
        + side.name()
        + "\", \"calls_per_s\": "
        + Math.round(side.callsPerSecond())
        + ", \"us_per_call\": "
        + Bench.number(side.microsPerCall())
        + ", \"cpu_us_per_call\": "
        + Bench.number(side.cpuMicrosPerCall())
        + "}";
  }

  private static Sample measure(Contestant contestant) throws Exception {
    int calls = contestant.callsPerRound();
    long cpu = cpuNanos();
    long start = System.nanoTime();
    contestant.round(calls);
    long nanos = System.nanoTime() - start;
    return new Sample(nanos / 1e3 / calls, (cpuNanos() - cpu) / 1e3 / calls);
  }

  private static Side side(Contestant contestant, Sample[] samples) {
    double micros = median(Arrays.stream(samples).mapToDouble(Sample::micros).toArray());
    // The clock of CPU time ticks slowly: only many rounds together tell something.
    double cpu = Arrays.stream(samples).mapToDouble(Sample::cpuMicros).average().orElseThrow();
    return new Side(contestant.name(), 1e6 / micros, micros, cpu);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static long cpuNanos() {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime();
  }
}
