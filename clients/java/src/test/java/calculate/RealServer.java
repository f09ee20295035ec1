package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** This project's own server, in a process of its own: the program {@code $CALCULATE_PROGRAM}. */
final class RealServer implements AutoCloseable {
  private static final String LISTENING = "listening on ";

  private final Process process;
  private final String address;

  /** Starts it on a free port, or where the arguments say. */
  RealServer(String... arguments) throws Exception {
    assumeFalse(
        "1".equals(System.getenv("CALCULATE_SKIP_INTEROP")), "CALCULATE_SKIP_INTEROP is set");
    List<String> command = new ArrayList<>(List.of(program().toString(), "serve"));
    if (!List.of(arguments).contains("--listen")) {
      command.addAll(List.of("--listen", "127.0.0.1:0"));
    }
    command.addAll(List.of(arguments));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = Background.get(Background.run(out::readLine));
    assertTrue(line != null && line.startsWith(LISTENING), "the server's first line is " + line);
    address = line.substring(LISTENING.length()).strip();
  }

  /** Where it listens, as a client's target. */
  String address() {
    return address;
  }

  /** Sends it a signal, such as STOP. */
  void signal(String name) throws Exception {
    String[] command = {"kill", "-" + name, Long.toString(process.pid())};
    assertEquals(0, new ProcessBuilder(command).start().waitFor());
  }

  /** kill -9: it ends at once, and also if it was stopped. */
  void kill() throws Exception {
    process.destroyForcibly();
    assertTrue(process.waitFor(10, TimeUnit.SECONDS), "the server does not end");
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      assertTrue(process.waitFor(10, TimeUnit.SECONDS), "the server does not stop");
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static Path program() {
    String named = System.getenv("CALCULATE_PROGRAM");
    Path program =
        named == null ? Path.of("..", "..", "target", "release", "calculate") : Path.of(named);
    assertTrue(
        Files.isExecutable(program),
        program
            + " is not there: build the server, name it in CALCULATE_PROGRAM, or set CALCULATE_SKIP_INTEROP=1");
    return program;
  }
}
