package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What any Calculate server has to answer. */
final class Service {
  private Service() {}

  static void assertAnswersRight(String address, Options options) throws Exception {
    try (CalculateClient client = CalculateClient.connect(address, options)) {
      assertEquals(3, client.square(9));
      assertEquals(81, client.cal(9));
      assertEquals(-0.0, client.square(-0.0));
      assertEquals(Double.NaN, client.square(Double.NaN));
      assertEquals(Double.POSITIVE_INFINITY, client.square(Double.POSITIVE_INFINITY));
      assertEquals(Double.POSITIVE_INFINITY, client.cal(Double.MAX_VALUE));
      assertEquals(Math.sqrt(5e-324), client.square(5e-324));
      DomainError error = assertThrows(DomainError.class, () -> client.square(-4));
      assertEquals(-4, error.value());
      assertEquals(2, Background.get(client.squareAsync(4)));
      assertEquals(-1, Background.failure(DomainError.class, client.squareAsync(-1)).value());
      assertEquals(16, Background.get(client.calAsync(4)));
    }
  }

  static void assertAnswersManyCallers(String address, Options options) throws Exception {
    try (CalculateClient client = CalculateClient.connect(address, options)) {
      List<CompletableFuture<?>> callers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        int seed = i;
        callers.add(Background.run(() -> callBlocking(client, seed)));
        callers.add(Background.run(() -> callAsynchronously(client, seed)));
      }
      for (CompletableFuture<?> caller : callers) {
        Background.get(caller);
      }
    }
  }

  private static Void callBlocking(CalculateClient client, int seed) {
    for (int i = 0; i < 500; i++) {
      double number = seed * 1000.0 + i;
      assertEquals(number, client.square(number * number));
    }
    return null;
  }

  private static Void callAsynchronously(CalculateClient client, int seed) throws Exception {
    for (int round = 0; round < 20; round++) {
      List<CompletableFuture<Double>> calls = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        calls.add(client.calAsync(seed * 1000.0 + i));
      }
      for (int i = 0; i < 50; i++) {
        double number = seed * 1000.0 + i;
        assertEquals(number * number, Background.get(calls.get(i)));
      }
    }
    return null;
  }
}
