package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whether and when a call is made once more: idl/vectors/retry.tsv. */
class RetryVectorsTest {
  static Stream<Rows.Row> retry() throws Exception {
    return Rows.of("retry.tsv");
  }

  @ParameterizedTest
  @MethodSource
  void retry(Rows.Row row) {
    String input = row.cell(2);
    Map<String, String> fields = Rows.pairs(input, " ");
    String result =
        switch (row.cell(1)) {
          case "budget" -> budget(input);
          case "back_off" -> backOff(fields);
          case "limit" ->
              Long.toString(
                  Retry.limit(
                      state(fields),
                      fields.get("token").equals("yes"),
                      Long.parseLong(fields.get("attempt_timeout")),
                      Long.parseLong(fields.get("remaining"))));
          case "decide" ->
              Retry.isWanted(
                      Retry.Failure.valueOf(fields.get("error").toUpperCase(Locale.ROOT)),
                      state(fields),
                      Integer.parseInt(fields.get("overloaded")))
                  ? "retry"
                  : "give";
          default -> p95(input);
        };
    assertEquals(row.cell(3), result);
  }

  private static Retry.State state(Map<String, String> fields) {
    return new Retry.State(
        Integer.parseInt(fields.get("attempt")),
        Integer.parseInt(fields.get("attempts")),
        fields.get("idempotent").equals("yes"),
        fields.get("others").equals("yes"));
  }

  private static String budget(String input) {
    RetryBudget budget = new RetryBudget(0);
    List<String> answers = new ArrayList<>();
    for (String step : Rows.words(input)) {
      String[] parts = step.split("@");
      if (parts[0].equals("CALL")) {
        budget.call(Long.parseLong(parts[1]));
      } else {
        answers.add(budget.take(Long.parseLong(parts[1])) ? "yes" : "no");
      }
    }
    return String.join(" ", answers);
  }

  private static String backOff(Map<String, String> fields) {
    Randomness randomness = new SplitMix64(Long.parseLong(fields.get("seed")));
    List<String> waits = new ArrayList<>();
    for (int retry = 1; retry <= Integer.parseInt(fields.get("retries")); retry++) {
      waits.add(Long.toString(Retry.backOffMicros(retry, randomness)));
    }
    return String.join(" ", waits);
  }

  private static String p95(String input) {
    RecentLatencies latencies = new RecentLatencies();
    for (String word : Rows.words(input)) {
      String[] parts = word.split("x");
      for (int i = 0; i < (parts.length < 2 ? 1 : Integer.parseInt(parts[1])); i++) {
        latencies.add(Long.parseLong(parts[0]));
      }
    }
    return latencies.p95Micros() < 0 ? "-" : Long.toString(latencies.p95Micros());
  }
}
