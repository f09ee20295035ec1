package calculate.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A server in a process of its own, on core 0. */
final class ServerProcess implements AutoCloseable {
  private static final String CORE = "0";
  private static final String LISTENING = "listening on ";

  private final Process process;
  private final String address;

  private ServerProcess(List<String> program) throws IOException {
    List<String> command = new ArrayList<>(List.of("taskset", "-c", CORE));
    command.addAll(program);
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String line =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
            .readLine();
    if (line == null || !line.startsWith(LISTENING)) {
      throw new IOException("no server: " + command + " said " + line);
    }
    address = line.substring(LISTENING.length()).strip();
  }

  static ServerProcess calculate() throws IOException {
    String named = System.getenv("CALCULATE_PROGRAM");
    String program = named == null ? "target/release/calculate" : named;
    return new ServerProcess(List.of(program, "serve", "--listen", "127.0.0.1:0"));
  }

  static ServerProcess grpc() throws IOException {
    String java = ProcessHandle.current().info().command().orElse("java");
    String jar = System.getProperty("java.class.path");
    return new ServerProcess(List.of(java, "-cp", jar, "calculate.bench.Bench", "grpc-server"));
  }

  String address() {
    return address;
  }

  @Override
  public void close() {
    process.destroy();
  }
}
