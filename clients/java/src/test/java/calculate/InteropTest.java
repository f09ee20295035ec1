package calculate;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls of all kinds against this project's own server: the program {@code $CALCULATE_PROGRAM}. */
class InteropTest {
  private static final String LISTENING = "listening on ";

  private static Process server;
  private static String address;

  @BeforeAll
  static void startServer() throws Exception {
    assumeFalse(
        "1".equals(System.getenv("CALCULATE_SKIP_INTEROP")), "CALCULATE_SKIP_INTEROP is set");
    String named = System.getenv("CALCULATE_PROGRAM");
    Path program =
        named == null ? Path.of("..", "..", "target", "release", "calculate") : Path.of(named);
    assertTrue(
        Files.isExecutable(program),
        program
            + " is not there: build the server, name it in CALCULATE_PROGRAM, or set CALCULATE_SKIP_INTEROP=1");
    server =
        new ProcessBuilder(program.toString(), "serve", "--listen", "127.0.0.1:0")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
    String line = Background.get(Background.run(out::readLine));
    assertTrue(line != null && line.startsWith(LISTENING), "the server's first line is " + line);
    address = line.substring(LISTENING.length()).strip();
  }

  @AfterAll
  static void stopServer() throws Exception {
    if (server != null) {
      server.destroy();
      assertTrue(server.waitFor(10, TimeUnit.SECONDS), "the server does not stop");
    }
  }

  @ParameterizedTest
  @CsvSource({"BINARY, FRAMED", "BINARY, UNFRAMED", "COMPACT, FRAMED", "COMPACT, UNFRAMED"})
  void it_answers_right(Protocol protocol, Framing framing) throws Exception {
    Service.assertAnswersRight(
        address, Options.defaults().withProtocol(protocol).withFraming(framing));
  }

  @ParameterizedTest
  @CsvSource({"BINARY, FRAMED", "BINARY, UNFRAMED", "COMPACT, FRAMED", "COMPACT, UNFRAMED"})
  void it_answers_many_callers(Protocol protocol, Framing framing) throws Exception {
    Service.assertAnswersManyCallers(
        address, Options.defaults().withProtocol(protocol).withFraming(framing));
  }

  @Test
  void its_refusal_tells_the_value() {
    try (CalculateClient client = CalculateClient.connect(address)) {
      DomainError error =
          assertThrows(DomainError.class, () -> client.square(Double.NEGATIVE_INFINITY));
      assertTrue(error.value() == Double.NEGATIVE_INFINITY);
      assertTrue(error.getCause() instanceof calculate.idl.DomainError);
    }
  }
}
