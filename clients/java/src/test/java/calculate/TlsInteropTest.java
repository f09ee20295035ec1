package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS and unix sockets against this project's own server. */
class TlsInteropTest {
  /** With TLS only. */
  private static RealServer requiring;

  /** With TLS and client certificates only. */
  private static RealServer asking;

  @TempDir private Path folder;

  @BeforeAll
  static void startServers() throws Exception {
    requiring = serve("require", "server");
    asking =
        serve("require", "server", "--tls-client-ca", Certificates.certificate("ca").toString());
  }

  @AfterAll
  static void stopServers() throws Exception {
    for (RealServer server : new RealServer[] {requiring, asking}) {
      if (server != null) {
        server.close();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "TLSv1.2, BINARY, FRAMED",
    "TLSv1.2, COMPACT, UNFRAMED",
    "TLSv1.3, BINARY, FRAMED",
    "TLSv1.3, BINARY, UNFRAMED",
    "TLSv1.3, COMPACT, FRAMED",
    "TLSv1.3, COMPACT, UNFRAMED"
  })
  void it_answers_right(String version, Protocol protocol, Framing framing) throws Exception {
    Options options =
        Certificates.with(speaking(version, null)).withProtocol(protocol).withFraming(framing);
    Service.assertAnswersRight(requiring.address(), options);
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void it_answers_many_callers(String version) throws Exception {
    Service.assertAnswersManyCallers(
        requiring.address(), Certificates.with(speaking(version, null)));
  }

  @Test
  void a_server_that_allows_tls_serves_both() throws Exception {
    try (RealServer server = serve("allow", "server")) {
      Service.assertAnswersRight(server.address(), Options.defaults());
      Service.assertAnswersRight(server.address(), Certificates.with(Certificates.trusting()));
    }
  }

  @Test
  void a_plain_client_of_a_server_with_tls_only_is_told() {
    try (CalculateClient client = CalculateClient.connect(requiring.address())) {
      ConnectionClosed error = assertThrows(ConnectionClosed.class, () -> client.square(9));
      assertTrue(error.getMessage().endsWith("connect with TLS"), error.getMessage());
    }
  }

  @Test
  void a_server_without_tls_is_recognised() throws Exception {
    try (RealServer server = new RealServer()) {
      String says = "it may not speak TLS; for a plain Thrift port, connect without TLS";
      assertRefused(server.address(), Certificates.trusting(), says);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_client_certificate_lets_in(String version) throws Exception {
    Service.assertAnswersRight(asking.address(), Certificates.with(speaking(version, "alice")));
    Service.assertAnswersRight(asking.address(), Certificates.with(Certificates.showing("bob")));
  }

  @ParameterizedTest
  @CsvSource({
    "TLSv1.2, , it wants a client certificate",
    "TLSv1.3, , it wants a client certificate",
    "TLSv1.2, stranger, it refused the client certificate (",
    "TLSv1.3, stranger, it refused the client certificate (",
  })
  void who_has_no_right_certificate_is_told(String version, String shown, String says)
      throws Exception {
    Tls tls = shown == null ? Certificates.trusting() : Certificates.showing(shown);
    // It must not depend on who is faster.
    for (int i = 0; i < 5; i++) {
      for (Tls each : new Tls[] {tls, speaking(version, shown)}) {
        assertRefused(asking.address(), each, says);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "expired, its certificate has expired",
    "strange-server, signed by an authority that is not trusted",
    "elsewhere, 'its certificate is for elsewhere.test, not for 127.0.0.1'",
  })
  void a_server_with_a_wrong_certificate_is_refused(String certificate, String says)
      throws Exception {
    try (RealServer server = serve("require", certificate)) {
      assertRefused(server.address(), Certificates.trusting(), says);
    }
  }

  @Test
  void a_server_that_was_started_again_with_another_certificate_is_called_again() throws Exception {
    RealServer first = serve("require", "server");
    try (CalculateClient client =
        CalculateClient.connect(first.address(), Certificates.with(Certificates.trusting()))) {
      assertEquals(3, client.square(9));
      first.close();
      try (RealServer second = serve("require", "renewed", "--listen", first.address())) {
        assertEquals(first.address(), second.address());
        assertEquals(4, client.square(16));
      }
    }
  }

  @Test
  void a_unix_socket() throws Exception {
    String target = "unix:" + folder.resolve("plain.sock");
    try (RealServer server = new RealServer("--listen", target)) {
      assertEquals(target, server.address());
      Service.assertAnswersRight(target, Options.defaults());
      Service.assertAnswersManyCallers(target, Options.defaults());
    }
  }

  @Test
  void a_unix_socket_with_tls_and_client_certificates() throws Exception {
    String target = "unix:" + folder.resolve("tls.sock");
    String ca = Certificates.certificate("ca").toString();
    try (RealServer server =
        serve("require", "server", "--tls-client-ca", ca, "--listen", target)) {
      Tls tls = Certificates.showing("alice").withServerName("localhost");
      Service.assertAnswersRight(server.address(), Certificates.with(tls));
      assertRefused(target, tls.withServerName("elsewhere.test"), "not for elsewhere.test");
      assertRefused(
          target,
          Certificates.trusting().withServerName("localhost"),
          "wants a client certificate");
    }
  }

  private static RealServer serve(String mode, String certificate, String... more)
      throws Exception {
    List<String> arguments = new ArrayList<>(List.of("--tls", mode));
    arguments.addAll(
        List.of("--tls-certificate", Certificates.certificate(certificate).toString()));
    arguments.addAll(List.of("--tls-key", Certificates.key(certificate).toString()));
    arguments.addAll(List.of(more));
    return new RealServer(arguments.toArray(String[]::new));
  }

  /** A client's settings that allow this version at most. */
  private static Tls speaking(String version, String shown) throws Exception {
    SSLContext context = SSLContext.getInstance(version);
    KeyManager[] keys = {};
    if (shown != null) {
      keys =
          new KeyManager[] {
            Identity.read(Certificates.certificate(shown), Certificates.key(shown))
          };
    }
    context.init(keys, ServerTls.trust("ca"), null);
    return Tls.context(context);
  }

  private static void assertRefused(String address, Tls tls, String says) {
    TransportError error =
        assertThrows(
            TransportError.class,
            () -> {
              try (CalculateClient client =
                  CalculateClient.connect(address, Certificates.with(tls))) {
                client.square(9);
              }
            });
    assertTrue(error.getMessage().contains(says), error.getMessage());
    assertTrue(error.getMessage().contains(address), error.getMessage());
  }
}
