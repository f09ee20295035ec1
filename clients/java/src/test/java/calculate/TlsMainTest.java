package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The program's TLS: what its arguments mean, and how it ends. */
class TlsMainTest {
  private static final String CA = Certificates.certificate("ca").toString();

  @Test
  void a_server_of_the_authority_given_is_called() throws Exception {
    try (FakeServer server = answering("server")) {
      assertEquals(new Run(0, "3.0\n", ""), run(server, "--tls-ca", CA, "9"));
      assertEquals(new Run(0, "3.0\n", ""), run(server, "--tls", "--tls-ca", CA, "9"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--tls", "--tls-server-name=localhost"})
  void without_a_file_the_authorities_of_the_system_are_trusted(String argument) throws Exception {
    try (FakeServer server = answering("server")) {
      Run run = run(server, argument, "9").assertFailed(1);
      assertTrue(run.err().contains("signed by an authority that is not trusted"), run.err());
    }
  }

  @Test
  void a_client_certificate_is_shown() throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.asking("TLSv1.3"))) {
      server.answerAll();
      String[] alice = {
        "--tls-certificate",
        Certificates.certificate("alice").toString(),
        "--tls-key",
        Certificates.key("alice").toString()
      };
      assertEquals(
          new Run(0, "3.0\n", ""),
          run(server, "--tls-ca", CA, alice[0], alice[1], alice[2], alice[3], "9"));
      Run run = run(server, "--tls-ca", CA, "9").assertFailed(1);
      assertTrue(run.err().contains("it wants a client certificate and none was given"), run.err());
    }
  }

  @Test
  void the_server_name_is_what_the_certificate_must_be_for() throws Exception {
    try (FakeServer server = answering("elsewhere")) {
      assertEquals(
          new Run(0, "3.0\n", ""),
          run(server, "--tls-ca", CA, "--tls-server-name", "elsewhere.test", "9"));
      Run run = run(server, "--tls-ca", CA, "9").assertFailed(1);
      assertTrue(run.err().contains("is for elsewhere.test, not for 127.0.0.1; "), run.err());
    }
  }

  @Test
  void a_handshake_that_stalls_is_a_line_on_stderr() throws Exception {
    try (FakeServer silent = new FakeServer()) {
      Run run = run(silent, "--tls-ca", CA, "--timeout", "1", "9").assertFailed(1);
      assertTrue(run.err().contains("no TLS handshake with " + silent.address()), run.err());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--tls-certificate={alice.pem}, --tls-certificate and --tls-key go together",
    "--tls-key={alice.key}, --tls-certificate and --tls-key go together",
    "--tls-ca=missing.pem, 'the ca file ''missing.pem'': it cannot be read (no such file or directory)'",
    "--tls-ca={ca.key}, it does not hold certificates in PEM form",
    "--tls-certificate={alice.pem} --tls-key={bob.key}, it is not the key of the certificate",
    "--tls --tls-server-name=a_b, is neither a DNS name nor an IP address",
    "--tls --server=unix:/run/calculate.sock, give the server name",
    "--server=unix:, has no path of a socket",
    "--tls-ca, parameter",
  })
  void wrong_usage_is_a_line_on_stderr(String arguments, String says) throws Exception {
    List<String> all = new ArrayList<>();
    for (String argument : arguments.split(" ")) {
      all.add(argument.replaceFirst("\\{(.*)\\}", folder() + "/$1"));
    }
    Run run = Run.of("9\n", all.toArray(String[]::new)).assertFailed(2);
    assertTrue(run.err().contains(says), run.err());
  }

  @Test
  void help_tells_of_it() throws Exception {
    String help = Run.of("", "--help").out();
    for (String option :
        new String[] {"--tls ", "--tls-ca=FILE", "--tls-certificate=FILE", "--tls-key=FILE"}) {
      assertTrue(help.contains(option), help);
    }
    assertTrue(help.contains("--tls-server-name=NAME") && help.contains("unix:/path"), help);
  }

  private static Path folder() {
    return Certificates.certificate("ca").getParent();
  }

  private static FakeServer answering(String certificate) throws Exception {
    FakeServer server = new FakeServer(ServerTls.showing(certificate, "TLSv1.3"));
    server.answerAll();
    return server;
  }

  private static Run run(FakeServer server, String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("--server", server.address()));
    all.addAll(List.of(arguments));
    return Run.of("", all.toArray(String[]::new));
  }
}
