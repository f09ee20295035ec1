package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.idl.Calculate;
import calculate.idl.Number;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls of all kinds against this project's own server. */
class InteropTest {
  private static RealServer server;

  @BeforeAll
  static void startServer() throws Exception {
    server = new RealServer();
  }

  @AfterAll
  static void stopServer() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"BINARY, FRAMED", "BINARY, UNFRAMED", "COMPACT, FRAMED", "COMPACT, UNFRAMED"})
  void it_answers_right(Protocol protocol, Framing framing) throws Exception {
    Service.assertAnswersRight(
        server.address(), Options.defaults().withProtocol(protocol).withFraming(framing));
  }

  @ParameterizedTest
  @CsvSource({"BINARY, FRAMED", "BINARY, UNFRAMED", "COMPACT, FRAMED", "COMPACT, UNFRAMED"})
  void it_answers_many_callers(Protocol protocol, Framing framing) throws Exception {
    Service.assertAnswersManyCallers(
        server.address(), Options.defaults().withProtocol(protocol).withFraming(framing));
  }

  @ParameterizedTest
  @CsvSource({"BINARY, FRAMED", "BINARY, UNFRAMED", "COMPACT, FRAMED", "COMPACT, UNFRAMED"})
  void it_does_not_answer_oneway_calls(Protocol protocol, Framing framing) throws Exception {
    Method<?, Void> oneway = Method.oneway("Square");
    Options options = Options.defaults().withProtocol(protocol).withFraming(framing);
    try (CalculateClient client = CalculateClient.connect(server.address(), options)) {
      for (int i = 0; i < 20; i++) {
        assertNull(client.call(oneway, new Calculate.Square_args(new Number(-1))));
        assertEquals(i, client.square(i * i));
        assertNull(
            Background.get(client.callAsync(oneway, new Calculate.Square_args(new Number(4)))));
        assertEquals(i * i, Background.get(client.calAsync(i)));
      }
    }
  }

  @Test
  void its_refusal_tells_the_value() {
    try (CalculateClient client = CalculateClient.connect(server.address())) {
      DomainError error =
          assertThrows(DomainError.class, () -> client.square(Double.NEGATIVE_INFINITY));
      assertTrue(error.value() == Double.NEGATIVE_INFINITY);
      assertTrue(error.getCause() instanceof calculate.idl.DomainError);
    }
  }
}
