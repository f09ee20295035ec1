import calculate.Balance;
import calculate.Balancing;
import calculate.BalancingEvent;
import calculate.CalculateClient;
import calculate.CalculateError;
import calculate.NewerClient;
import calculate.Options;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * A load from Java: {@code Caller TARGET [KEY=VALUE]…}, with the keys of {@link #settings}. A line on its standard input asks
 * how the calls went since the line before; its end ends the program. Each answer is one line of JSON.
 */
final class Caller {
  private final Map<String, String> settings = new TreeMap<>(Map.of(
      "rate", "100", // calls a second; 0: as many as can be made
      "callers", "4", // how many call at once
      "ask", "square", // or, as newer clients do: newer_square, cube
      "by", "", // who must have computed it, where a newer client asks; empty: anybody
      "above", "0", // the numbers that are asked for are above this: a proxy can tell the languages apart
      "timeout", "5",
      "balance", "least_loaded",
      "hedge", "off",
      "style", "threads")); // or: futures

  /** That each call has. */
  private Duration timeout;

  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicLong next = new AtomicLong();
  private final Window window = new Window();

  /** Of the newer IDL; null where that is not spoken. */
  private NewerClient newer;

  public static void main(String[] arguments) throws Exception {
    Caller caller = new Caller();
    for (String argument : Arrays.copyOfRange(arguments, 1, arguments.length)) {
      String[] pair = argument.split("=", 2);
      caller.settings.put(pair[0], pair[1]);
    }
    caller.run(arguments[0]);
    System.exit(0);
  }

  private void run(String target) throws Exception {
    Balancing balancing =
        Balancing.defaults()
            .withBalance(Balance.valueOf(settings.get("balance").toUpperCase(Locale.ROOT)))
            .withHedge(settings.get("hedge").equals("p95"))
            .withListener(window::tell);
    Options options =
        Options.defaults()
            .withBalancing(balancing)
            .withExecutor(Runnable::run);
    timeout = Duration.ofMillis((long) (1000 * Double.parseDouble(settings.get("timeout"))));
    int callers = Integer.parseInt(settings.get("callers"));
    boolean futures = settings.get("style").equals("futures");
    CountDownLatch ended = new CountDownLatch(callers);
    newer = settings.get("ask").equals("square") ? null : new NewerClient(target, options);
    try (CalculateClient client = CalculateClient.connect(target, options)) {
      for (int i = 0; i < callers; i++) {
        if (futures) {
          callNext(client, ended);
        } else {
          new Thread(() -> call(client, callers, ended)).start();
        }
      }
      System.out.println("calling");
      BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
      while (lines.readLine() != null) {
        System.out.println(window.take());
      }
      over.set(true);
      ended.await();
    }
    System.out.println(window.take());
  }

  /** No two calls in flight ask for the same root: an answer that is another call's is seen. */
  private double number() {
    return Integer.parseInt(settings.get("above")) + next.getAndIncrement() % 1_000_000 + 1;
  }

  private void call(CalculateClient client, int callers, CountDownLatch ended) {
    double rate = Double.parseDouble(settings.get("rate"));
    long due = System.nanoTime();
    while (!over.get()) {
      if (rate > 0) {
        sleepUntil(due);
        due = Math.max(due + (long) (callers * 1e9 / rate), System.nanoTime() - 1_000_000_000L);
      }
      double number = number();
      long began = System.nanoTime();
      try {
        window.note(began, number, ask(client, number), null);
      } catch (CalculateError error) {
        window.note(began, number, Double.NaN, error);
      }
    }
    ended.countDown();
  }

  /** Asks for the number; answers it where it came from the right server. */
  private double ask(CalculateClient client, double number) {
    if (settings.get("ask").equals("square")) {
      return client.square(number * number, timeout);
    }
    boolean cube = settings.get("ask").equals("cube");
    newer.Number answer = cube ? newer.cube(Math.pow(number, 3)) : newer.square(number * number);
    String by = settings.get("by");
    return by.isEmpty() || by.equals(answer.getComputedBy()) ? Math.round(answer.getValue()) : Double.NaN;
  }

  private void callNext(CalculateClient client, CountDownLatch ended) {
    if (over.get()) {
      ended.countDown();
      return;
    }
    double number = number();
    long began = System.nanoTime();
    client
        .squareAsync(number * number, timeout)
        .whenCompleteAsync(
            (root, error) -> {
              window.note(began, number, root == null ? Double.NaN : root, error);
              callNext(client, ended);
            },
            NEXT);
  }

  /** Where the next call is made: not on the client's own thread, on which a failed one would call itself without end. */
  private static final java.util.concurrent.Executor NEXT = java.util.concurrent.Executors.newSingleThreadExecutor();

  private static void sleepUntil(long due) {
    for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
      java.util.concurrent.locks.LockSupport.parkNanos(wait);
    }
  }

  /** How the calls of a while went. */
  private static final class Window {
    private double[] tookMillis = new double[1024];
    private int calls;
    private long failed;
    private long wrong;
    private final Map<String, String> errors = new TreeMap<>();

    /** By instance: when attempts failed that were followed by another, in ms since 1970. */
    private final Map<String, List<Long>> failedAt = new TreeMap<>();

    synchronized void note(long began, double number, double root, Throwable error) {
      if (calls == tookMillis.length) {
        tookMillis = Arrays.copyOf(tookMillis, 2 * calls);
      }
      tookMillis[calls++] = (System.nanoTime() - began) / 1e6;
      if (error != null) {
        failed++;
        String kind = error.getClass().getSimpleName();
        errors.putIfAbsent(kind, kind + ": " + error.getMessage());
      } else if (root != number) {
        wrong++;
      }
    }

    synchronized void tell(BalancingEvent event) {
      if (event.kind() == BalancingEvent.Kind.RETRY) {
        failedAt.computeIfAbsent(event.instance(), id -> new ArrayList<>()).add(System.currentTimeMillis());
      }
    }

    /** What there was, and begins anew. */
    synchronized String take() {
      double[] took = Arrays.copyOf(tookMillis, calls);
      Arrays.sort(took);
      String told =
          String.format(
              Locale.ROOT,
              "{\"calls\":%d,\"failed\":%d,\"wrong\":%d,\"p99_ms\":%.3f,\"slowest_ms\":%.3f,\"errors\":%s,"
                  + "\"failed_at\":%s}",
              calls, failed, wrong, at(took, 99), at(took, 100), texts(errors.values()), times(failedAt));
      calls = 0;
      failed = 0;
      wrong = 0;
      errors.clear();
      failedAt.clear();
      return told;
    }

    private static double at(double[] took, int percent) {
      return took.length == 0 ? 0 : took[(took.length * percent + 99) / 100 - 1];
    }

    private static String texts(Iterable<String> texts) {
      List<String> quoted = new ArrayList<>();
      texts.forEach(text -> quoted.add('"' + text.replace('\\', '/').replace('"', '\'').replaceAll("\\p{Cntrl}", " ") + '"'));
      return quoted.toString();
    }

    private static String times(Map<String, List<Long>> times) {
      return times.entrySet().stream()
          .map(each -> '"' + each.getKey() + "\":" + each.getValue())
          .collect(Collectors.joining(",", "{", "}"));
    }
  }
}
