import calculate.CalculateClient;
import calculate.CalculateError;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** A steady load from Java: calls until its standard input ends, then says how they went as one line of JSON. */
final class Caller {
  private static final List<String> ERRORS = new ArrayList<>();
  private static long calls;
  private static long failed;
  private static long wrong;
  private static double slowestMs;

  public static void main(String[] arguments) throws Exception {
    double rate = Double.parseDouble(arguments[1]);
    AtomicBoolean over = new AtomicBoolean();
    try (CalculateClient client = CalculateClient.connect(arguments[0])) {
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        int first = i;
        Thread caller = new Thread(() -> call(client, first, (long) (4e9 / rate), over));
        caller.start();
        callers.add(caller);
      }
      System.out.println("calling");
      while (System.in.read() >= 0) {}
      over.set(true);
      for (Thread caller : callers) {
        caller.join();
      }
    }
    StringBuilder errors = new StringBuilder();
    for (String error : ERRORS) {
      errors.append(errors.length() == 0 ? "" : ",").append('"').append(error.replace('\\', '/').replace('"', '\'')).append('"');
    }
    System.out.printf(
        "{\"calls\":%d,\"failed\":%d,\"wrong\":%d,\"slowest_ms\":%.1f,\"errors\":[%s]}%n", calls, failed, wrong, slowestMs, errors);
    System.exit(0);
  }

  private static void call(CalculateClient client, int first, long pauseNanos, AtomicBoolean over) {
    long number = first;
    long due = System.nanoTime();
    while (!over.get()) {
      long wait = due - System.nanoTime();
      if (wait > 0) {
        try {
          Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
        } catch (InterruptedException interrupted) {
          return;
        }
      }
      due = Math.max(due + pauseNanos, System.nanoTime() - 1_000_000_000L);
      number = number % 1_000_000 + 4;
      long began = System.nanoTime();
      try {
        double root = client.square((double) number * number);
        note(began, root == number ? null : "wrong", null);
      } catch (CalculateError error) {
        note(began, null, error);
      }
    }
  }

  private static synchronized void note(long began, String wrongAnswer, CalculateError error) {
    calls++;
    slowestMs = Math.max(slowestMs, (System.nanoTime() - began) / 1e6);
    if (wrongAnswer != null) {
      wrong++;
    }
    if (error != null) {
      failed++;
      if (ERRORS.size() < 3) {
        ERRORS.add(error.getClass().getSimpleName() + ": " + error.getMessage());
      }
    }
  }
}
