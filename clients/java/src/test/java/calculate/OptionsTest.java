package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What may be set, and what is set when nothing is. */
class OptionsTest {
  @Test
  void defaults_are_those_of_the_design() {
    Options defaults = Options.defaults();
    assertEquals(Duration.ofSeconds(5), defaults.timeout());
    assertEquals(Protocol.BINARY, defaults.protocol());
    assertEquals(Framing.FRAMED, defaults.framing());
    assertEquals(16_384_000, defaults.maxMessageBytes());
  }

  @Test
  void a_change_is_a_copy() {
    Options changed =
        Options.defaults().withProtocol(Protocol.COMPACT).withTimeout(Duration.ofMillis(1));
    assertEquals(Protocol.COMPACT, changed.protocol());
    assertEquals(Protocol.BINARY, Options.defaults().protocol());
  }

  @Test
  void what_is_out_of_bounds_is_refused() {
    Options defaults = Options.defaults();
    assertThrows(IllegalArgumentException.class, () -> defaults.withTimeout(Duration.ZERO));
    assertThrows(
        IllegalArgumentException.class, () -> defaults.withTimeout(Duration.ofSeconds(-1)));
    assertThrows(IllegalArgumentException.class, () -> defaults.withTimeout(Duration.ofDays(366)));
    assertThrows(IllegalArgumentException.class, () -> defaults.withMaxMessageBytes(0));
    assertThrows(
        IllegalArgumentException.class, () -> defaults.withMaxMessageBytes(Integer.MAX_VALUE));
  }

  @Test
  void arguments_longer_than_allowed_are_refused_and_harm_nothing() throws Exception {
    try (FakeServer server = new FakeServer();
        CalculateClient client =
            CalculateClient.connect(server.address(), Options.defaults().withMaxMessageBytes(20))) {
      assertThrows(IllegalArgumentException.class, () -> client.square(9));
      Background.failure(IllegalArgumentException.class, client.squareAsync(9));
    }
  }
}
