package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What a run of the program left behind.
 *
 * @param code its exit code
 * @param out what it printed
 * @param err what it complained of
 */
record Run(int code, String out, String err) {
  /** Where programs keep lists of instances, instead of in the home of who runs the tests. */
  static final Path CACHE = Path.of("target", "cache");

  /** Runs the program in a process of its own. */
  static Run of(String input, String... arguments) throws Exception {
    return of(Map.of(), input, arguments);
  }

  /** The same, with these in its environment. */
  static Run of(Map<String, String> environment, String input, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "calculate.Main"));
    command.addAll(List.of(arguments));
    ProcessBuilder program = new ProcessBuilder(command);
    program.environment().put("XDG_CACHE_HOME", CACHE.toAbsolutePath().toString());
    program.environment().putAll(environment);
    Process process = program.start();
    var out = Background.run(() -> process.getInputStream().readAllBytes());
    var err = Background.run(() -> process.getErrorStream().readAllBytes());
    try (OutputStream in = process.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.UTF_8));
    }
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it does not end");
    return new Run(process.exitValue(), text(Background.get(out)), text(Background.get(err)));
  }

  /** That it ended with this code, and one line that says why. */
  Run assertFailed(int code) {
    assertEquals(code, this.code, err);
    assertEquals("", out);
    assertEquals(1, err.lines().count(), err);
    return this;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }
}
