package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Clients that speak TLS to a real ZooKeeper; and what they are told when they cannot. */
class ZooKeeperTlsTest {
  private static final String CA = Certificates.certificate("ca").toString();

  private static ZooKeeperProcess open;
  private static ZooKeeperProcess closed;
  private ValueServer server;

  @BeforeAll
  static void startAll() throws Exception {
    open = new ZooKeeperProcess("server", "none");
    closed = new ZooKeeperProcess("server", "need");
  }

  @AfterAll
  static void stopAll() throws Exception {
    open.close();
    closed.close();
  }

  @BeforeEach
  void start() throws Exception {
    server = new ValueServer(3);
    open.put("one", server.port(), "");
    closed.put("one", server.port(), "");
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  @ParameterizedTest
  @CsvSource({"localhost", "127.0.0.1"})
  void the_list_comes_over_tls(String host) throws Exception {
    assertServed(open.secureTarget(host), Certificates.trusting());
  }

  @Test
  void a_certificate_is_shown_to_a_registry_that_wants_one() throws Exception {
    assertServed(closed.secureTarget("localhost"), Certificates.showing("alice"));
  }

  @Test
  void a_list_that_changes_is_read_over_tls_and_after_the_session_has_expired() throws Exception {
    try (ZooKeeperProcess own = new ZooKeeperProcess("server", "need");
        ValueServer two = new ValueServer(2);
        CalculateClient client = connecting(own)) {
      // What tidies up the folder for temporary files must not end this.
      for (Path file : keyStores()) {
        Files.delete(file);
      }
      own.command("expire");
      own.put("one", two.port(), "");
      Background.eventually(() -> client.square(9) == 2.0);
    }
    Background.eventually(() -> keyStores().isEmpty());
  }

  @Test
  void the_file_with_the_key_is_for_the_user_alone_and_goes_with_the_client() throws Exception {
    Background.eventually(() -> keyStores().isEmpty());
    try (CalculateClient client =
        connect(closed.secureTarget("localhost"), Certificates.showing("bob"))) {
      assertEquals(3.0, client.square(9));
      assertEquals(2, keyStores().size());
      for (Path file : keyStores()) {
        assertEquals(
            PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(file));
      }
    }
    Background.eventually(() -> keyStores().isEmpty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "strange-ca |        | open   | signed by an authority that is not trusted; if it should be",
        "           |        | open   | signed by an authority that is not trusted",
        "ca         |        | closed | it wants a client certificate and none was given; give certi",
        "ca         |stranger| closed | it refused the client certificate (certificate unknown); is",
        "ca         |        | plain  | may not speak TLS; for a plain port, leave zk-tls out",
      })
  void each_fault_is_told_with_what_to_do(String ca, String shown, String whom, String why)
      throws Exception {
    Tls tls = ca == null ? Tls.system() : Tls.ca(Certificates.certificate(ca));
    if (shown != null) {
      tls = tls.withCertificate(Certificates.certificate(shown), Certificates.key(shown));
    }
    String target =
        whom.equals("plain")
            ? open.target()
            : (whom.equals("open") ? open : closed).secureTarget("localhost");
    String text = failure(target, tls);
    assertTrue(text.contains("cannot speak TLS with ZooKeeper at "), text);
    assertTrue(text.contains(why), text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "expired        | its certificate has expired; the server needs a new one",
        "elsewhere      | is for elsewhere.test, not for localhost; correct the address)",
        "strange-server | is signed by an authority that is not trusted",
      })
  void a_registry_with_a_wrong_certificate_is_not_listened_to(String certificate, String why)
      throws Exception {
    try (ZooKeeperProcess own = new ZooKeeperProcess(certificate, "none")) {
      own.put("one", server.port(), "");
      String text = failure(own.secureTarget("localhost"), Certificates.trusting());
      assertTrue(text.contains(why), text);
    }
  }

  @Test
  void a_plain_client_is_told_that_tls_may_be_wanted() {
    String target = open.secureTarget("localhost");
    Options options =
        options(Balancing.defaults().withoutCacheFile()).withTimeout(Duration.ofSeconds(3));
    ConnectError error =
        assertThrows(ConnectError.class, () -> CalculateClient.connect(target, options));
    assertTrue(
        error.getMessage().contains("; does it run there, and without TLS?"), error.getMessage());
  }

  @Test
  void what_cannot_be_used_with_zookeeper_is_refused() throws Exception {
    Balancing balancing = Balancing.defaults();
    Tls named = Certificates.trusting().withServerName("localhost");
    Exception refused =
        assertThrows(IllegalArgumentException.class, () -> balancing.withZooKeeperTls(named));
    assertTrue(refused.getMessage().contains("leave the server name out"), refused.getMessage());
    Tls context = Tls.context(javax.net.ssl.SSLContext.getDefault());
    assertThrows(IllegalArgumentException.class, () -> balancing.withZooKeeperTls(context));
  }

  @Test
  void a_server_that_registers_over_tls_is_found_over_tls() throws Exception {
    String base = closed.secureBase("localhost") + "/real";
    String[] shown = {
      "--register",
      base,
      "--zk-tls-ca",
      CA,
      "--zk-tls-certificate",
      Certificates.certificate("bob").toString(),
      "--zk-tls-key",
      Certificates.key("bob").toString()
    };
    try (RealServer real = new RealServer(shown)) {
      Background.eventually(
          () -> closed.has("/services/real/calculate/" + real.address().replace(':', '-')));
      assertServed(base + "/calculate", Certificates.showing("alice"));
    }
  }

  @Test
  void the_program_takes_it_from_flags_and_from_the_environment() throws Exception {
    String alice = Certificates.certificate("alice").toString();
    String key = Certificates.key("alice").toString();
    String target = closed.secureTarget("localhost");
    Run flags =
        Run.of(
            "",
            "--server",
            target,
            "--zk-tls-ca",
            CA,
            "--zk-tls-certificate",
            alice,
            "--zk-tls-key",
            key,
            "9");
    assertEquals(new Run(0, "3.0\n", ""), flags);
    Map<String, String> environment =
        Map.of(
            "CALCULATE_ZK_TLS_CA", CA,
            "CALCULATE_ZK_TLS_CERTIFICATE", alice,
            "CALCULATE_ZK_TLS_KEY", key);
    assertEquals(new Run(0, "3.0\n", ""), Run.of(environment, "", "--server", target, "9"));
    Run system =
        Run.of(
            Map.of("CALCULATE_ZK_TLS", "true"),
            "",
            "--server",
            open.secureTarget("localhost"),
            "--timeout",
            "3",
            "9");
    system.assertFailed(1);
    assertTrue(system.err().contains("authority that is not trusted"), system.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--zk-tls-certificate | alice.pem | --zk-tls-certificate and --zk-tls-key go together",
        "--zk-tls-key         | alice.key | --zk-tls-certificate and --zk-tls-key go together",
        "--zk-tls-ca          | nowhere   | zk-tls: the ca file",
        "--zk-tls-ca          | alice.key | it does not hold certificates in PEM form",
      })
  void what_cannot_be_right_is_wrong_usage(String flag, String file, String says) throws Exception {
    String path = Path.of(CA).resolveSibling(file).toString();
    Run run = Run.of("", "--server", "zk://localhost:1/services/calculate", flag, path, "9");
    run.assertFailed(2);
    assertTrue(run.err().contains(says), run.err());
  }

  private CalculateClient connecting(ZooKeeperProcess own) throws Exception {
    own.put("one", server.port(), "");
    return connect(own.secureTarget("localhost"), Certificates.showing("alice"));
  }

  private static void assertServed(String target, Tls tls) {
    try (CalculateClient client = connect(target, tls)) {
      assertEquals(3.0, client.square(9));
    }
  }

  private static String failure(String target, Tls tls) {
    Options options = options(zooKeeper(tls)).withTimeout(Duration.ofSeconds(3));
    return assertThrows(ConnectError.class, () -> CalculateClient.connect(target, options))
        .getMessage();
  }

  private static CalculateClient connect(String target, Tls tls) {
    return CalculateClient.connect(target, options(zooKeeper(tls)));
  }

  private static Balancing zooKeeper(Tls tls) {
    return Balancing.defaults().withoutCacheFile().withZooKeeperTls(tls);
  }

  /** With time for a ZooKeeper that has just started. */
  private static Options options(Balancing balancing) {
    return Options.defaults().withTimeout(Duration.ofSeconds(10)).withBalancing(balancing);
  }

  /** The temporary files of this process's clients. */
  private static List<Path> keyStores() {
    String prefix = "calculate-zookeeper-" + ProcessHandle.current().pid() + "-";
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files.filter(file -> file.getFileName().toString().startsWith(prefix)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
