package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The program, in a process of its own, against Apache's own server. */
class MainTest {
  private static ApacheServer server;

  @BeforeAll
  static void startServer() throws Exception {
    server = new ApacheServer(Protocol.BINARY, Framing.FRAMED);
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Test
  void one_number_prints_its_root() throws Exception {
    assertEquals(new Run(0, "3.0\n", ""), run("", "9"));
  }

  @Test
  void each_number_prints_a_line() throws Exception {
    assertEquals(
        new Run(0, "2.0\n-0.0\ninf\ninf\nnan\nnan\n", ""),
        run("", "4", "-0", "inf", "1e400", "nan", "NaN"));
  }

  @Test
  void cal_is_the_square() throws Exception {
    assertEquals(new Run(0, "81.0\n16.0\n", ""), run("", "--method", "cal", "9", "-4"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-4", "-inf", "-Infinity", "-1e400"})
  void a_negative_number_is_a_line_on_stderr(String number) throws Exception {
    Run run = run("", number);
    run.assertFailed(1);
    assertTrue(run.err().contains("negative"), run.err());
  }

  @Test
  void what_is_computed_before_a_failure_is_printed() throws Exception {
    Run run = run("", "9", "-4", "16");
    assertEquals("3.0\n", run.out());
    assertEquals(1, run.code());
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "--sever", "9d", "", "-x"})
  void what_is_no_number_is_a_usage_error(String argument) throws Exception {
    run("", argument).assertFailed(2);
  }

  @Test
  void bad_options_are_usage_errors() throws Exception {
    run("", "--timeout", "0", "9").assertFailed(2);
    run("", "--timeout", "-1", "9").assertFailed(2);
    run("", "--timeout", "soon", "9").assertFailed(2);
    run("", "--timeout", "nan", "9").assertFailed(2);
    run("", "--method", "cube", "9").assertFailed(2);
    run("", "--server", "nowhere", "9").assertFailed(2);
  }

  @Test
  void several_servers_are_called_as_it_is_told() throws Exception {
    try (ValueServer other = new ValueServer(5)) {
      Run run =
          runAt(
              other.address() + "," + server.address(),
              "",
              "--balance",
              "round_robin",
              "--hedge",
              "p95",
              "16",
              "16");
      assertEquals(0, run.code(), run.err());
      assertEquals(Set.of("4.0", "5.0"), run.out().lines().collect(Collectors.toSet()));
      String[] keyed = {"--balance", "hash", "--key", "customer-7", "16", "16", "16"};
      Run same = runAt(other.address() + "," + server.address(), "", keyed);
      assertEquals(1, same.out().lines().distinct().count(), same.out());
    }
    run("", "--attempts", "4", "9").assertFailed(2);
    run("", "--zk-auth", "secret", "9").assertFailed(2);
    run("", "--balance", "best", "9").assertFailed(2);
  }

  @Test
  void an_unreachable_server_is_a_line_on_stderr() throws Exception {
    FakeServer gone = new FakeServer();
    gone.close();
    Run run = runAt(gone.address(), "", "9");
    run.assertFailed(1);
    assertTrue(run.err().contains(gone.address()), run.err());
  }

  @Test
  void a_silent_server_is_a_line_on_stderr() throws Exception {
    try (FakeServer silent = new FakeServer()) {
      Run run = runAt(silent.address(), "", "--timeout", "0.1", "9");
      run.assertFailed(1);
      assertTrue(run.err().contains("0.1 s"), run.err());
    }
  }

  @Test
  void without_numbers_it_reads_them_until_something_else_comes() throws Exception {
    assertEquals(new Run(0, "3.0\n4.0\n", ""), run("9\n 16 \nquit\n25\n"));
    assertEquals(new Run(0, "3.0\n", ""), run("9\n"));
    assertEquals(new Run(0, "", ""), run(""));
  }

  @Test
  void a_domain_error_does_not_end_the_conversation() throws Exception {
    Run run = run("-4\n9\n");
    assertEquals("3.0\n", run.out());
    assertEquals(0, run.code());
    assertEquals(1, run.err().lines().count());
  }

  @Test
  void it_tells_how_to_use_it() throws Exception {
    Run help = run("", "--help");
    assertEquals(0, help.code());
    assertTrue(help.out().contains("square ROOT"), help.out());
    Run version = run("", "--version");
    assertEquals(0, version.code());
    assertTrue(version.out().startsWith("calculate-client "), version.out());
  }

  private static Run run(String input, String... arguments) throws Exception {
    return runAt(server.address(), input, arguments);
  }

  private static Run runAt(String address, String input, String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("--server", address));
    all.addAll(List.of(arguments));
    return Run.of(input, all.toArray(String[]::new));
  }
}
