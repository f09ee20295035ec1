package calculate;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls of all kinds against Apache's own server. */
class ApacheServerTest {
  @ParameterizedTest
  @CsvSource({"BINARY, FRAMED", "BINARY, UNFRAMED", "COMPACT, FRAMED", "COMPACT, UNFRAMED"})
  void it_is_understood(Protocol protocol, Framing framing) throws Exception {
    Options options = Options.defaults().withProtocol(protocol).withFraming(framing);
    try (ApacheServer server = new ApacheServer(protocol, framing)) {
      Service.assertAnswersRight(server.address(), options);
    }
  }

  @ParameterizedTest
  @CsvSource({"BINARY, FRAMED", "COMPACT, UNFRAMED"})
  void many_callers_each_get_their_own_replies(Protocol protocol, Framing framing)
      throws Exception {
    Options options = Options.defaults().withProtocol(protocol).withFraming(framing);
    try (ApacheServer server = new ApacheServer(protocol, framing)) {
      Service.assertAnswersManyCallers(server.address(), options);
    }
  }
}
