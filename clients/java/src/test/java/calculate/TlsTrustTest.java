package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/** Who is let in by TLS, and what is said to who is not. */
class TlsTrustTest {
  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_server_with_the_right_certificate_is_called(String version) throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.showing("server", version))) {
      for (String address : new String[] {server.address(), "localhost:" + server.port()}) {
        assertIsCalled(address, Certificates.trusting(), server);
      }
    }
  }

  @Test
  void an_ipv6_address_is_checked_against_the_certificates_addresses() throws Exception {
    try (ServerSocket listener = listenOnIpv6()) {
      Options options = Certificates.with(Certificates.trusting());
      String address = "[::1]:" + listener.getLocalPort();
      var connecting = Background.run(() -> CalculateClient.connect(address, options));
      try (Peer peer = ServerTls.showing("server", "TLSv1.3").accept(listener.accept());
          CalculateClient client = Background.get(connecting)) {
        var call = Background.run(() -> client.square(9));
        peer.answerRoot();
        assertEquals(3, Background.get(call));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_client_certificate_is_shown_to_a_server_that_wants_one(String version) throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.asking(version))) {
      assertEquals(
          "CN=alice", assertIsCalled(server.address(), Certificates.showing("alice"), server));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "expired, its certificate has expired; the server needs a new one",
    "strange-server, its certificate is signed by an authority that is not trusted; if it should be",
    "elsewhere, 'its certificate is for elsewhere.test, not for localhost; correct the address'",
  })
  void a_server_with_a_wrong_certificate_is_refused(String certificate, String says)
      throws Exception {
    for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
      try (FakeServer server = new FakeServer(ServerTls.showing(certificate, version))) {
        String address = "localhost:" + server.port();
        String text = TlsRefusal.of(address, Certificates.trusting());
        String start = "cannot connect to " + address + " with TLS: " + says;
        assertTrue(text.startsWith(start), text);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_server_that_is_refused_is_told(String version) throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> TlsRefusal.of(server.address(), Certificates.trusting()));
      HandMadeTls tls =
          new HandMadeTls(server.accept(), ServerTls.showing("strange-server", version));
      SSLException told = assertThrows(SSLException.class, tls::shakeHands);
      assertTrue(told.getMessage().contains("Received fatal alert"), told.getMessage());
      assertTrue(Background.get(text).contains("is not trusted"), Background.get(text));
    }
  }

  @Test
  void a_certificate_that_is_no_servers_is_refused() throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.showing("alice", "TLSv1.3"))) {
      String text = TlsRefusal.of(server.address(), Certificates.trusting());
      assertTrue(text.contains("its certificate is not accepted ("), text);
    }
  }

  @Test
  void an_address_that_is_not_in_the_certificate_is_refused() throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.showing("elsewhere", "TLSv1.3"))) {
      String text = TlsRefusal.of(server.address(), Certificates.trusting());
      assertTrue(text.contains("is for elsewhere.test, not for 127.0.0.1; "), text);
    }
  }

  @Test
  void a_certificate_with_nothing_but_a_common_name_is_refused(@TempDir Path folder)
      throws Exception {
    Path nameless = Certificates.makeNameless(folder);
    try (FakeServer server = new FakeServer(ServerTls.showing(nameless.toString(), "TLSv1.3"))) {
      Tls tls = Tls.ca(Certificates.certificate(nameless.toString()));
      String text = TlsRefusal.of("localhost:" + server.port(), tls);
      assertTrue(text.contains("its certificate is for another name, not for localhost"), text);
    }
  }

  @Test
  void the_server_name_replaces_the_targets_host() throws Exception {
    Tls elsewhere = Certificates.trusting().withServerName("elsewhere.test");
    try (FakeServer server = new FakeServer(ServerTls.showing("elsewhere", "TLSv1.3"))) {
      assertIsCalled(server.address(), elsewhere, server);
    }
    try (FakeServer server = new FakeServer(ServerTls.showing("server", "TLSv1.3"))) {
      String text = TlsRefusal.of(server.address(), elsewhere);
      assertTrue(text.contains("its certificate is for localhost, 127.0.0.1, "), text);
      assertTrue(text.contains(", not for elsewhere.test; "), text);
    }
  }

  @Test
  void an_authority_of_the_system_does_not_vouch_for_ours() throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.showing("server", "TLSv1.3"))) {
      assertTrue(TlsRefusal.of(server.address(), Tls.system()).contains("is not trusted"));
      Tls strange = Tls.ca(Certificates.certificate("strange-ca"));
      assertTrue(TlsRefusal.of(server.address(), strange).contains("is not trusted"));
    }
  }

  @Test
  void a_context_of_ones_own_is_used_and_names_are_checked_all_the_same() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(ServerTls.keys("alice"), ServerTls.trust("ca"), null);
    try (FakeServer server = new FakeServer(ServerTls.asking("TLSv1.3"))) {
      assertIsCalled(server.address(), Tls.context(context), server);
      Tls elsewhere = Tls.context(context).withServerName("elsewhere.test");
      String text = TlsRefusal.of(server.address(), elsewhere);
      assertTrue(
          text.contains("its certificate is for another name, not for elsewhere.test"), text);
    }
    try (FakeServer server = new FakeServer(ServerTls.showing("expired", "TLSv1.3"))) {
      String text = TlsRefusal.of(server.address(), Tls.context(context));
      assertTrue(text.contains("its certificate has expired"), text);
    }
  }

  /**
   * Under TLS 1.3 the client is done before the server has looked at its certificate, and learns it
   * from the first read.
   */
  @ParameterizedTest
  @CsvSource({
    "TLSv1.2, , it wants a client certificate and none was given; give certificate and key",
    "TLSv1.3, , it wants a client certificate and none was given; give certificate and key",
    "TLSv1.2, stranger, it refused the client certificate (certificate unknown); is it valid",
    "TLSv1.3, stranger, it refused the client certificate (certificate unknown); is it valid",
  })
  void a_server_that_refuses_the_client_certificate_says_so(
      String version, String shown, String says) throws Exception {
    Tls tls = shown == null ? Certificates.trusting() : Certificates.showing(shown);
    try (FakeServer server = new FakeServer(ServerTls.asking(version))) {
      // It must not depend on who is faster.
      for (int i = 0; i < 10; i++) {
        TransportError error =
            assertThrows(TransportError.class, () -> TlsRefusal.callOnce(server.address(), tls));
        assertTrue(error.getMessage().contains(says), error.getMessage());
        assertTrue(
            version.equals("TLSv1.3") || error instanceof ConnectError, error.getClass().getName());
        TransportError asynchronous = callAsynchronously(server.address(), tls);
        assertTrue(asynchronous.getMessage().contains(says), asynchronous.getMessage());
      }
    }
  }

  @Test
  void a_context_that_knows_more_than_we_is_told_both() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, ServerTls.trust("ca"), null);
    try (FakeServer server = new FakeServer(ServerTls.asking("TLSv1.3"))) {
      TransportError error =
          assertThrows(
              TransportError.class,
              () -> TlsRefusal.callOnce(server.address(), Tls.context(context)));
      assertTrue(
          error.getMessage().contains("it refused the client certificate"), error.getMessage());
    }
  }

  /** Makes a call; answers who the server says the client is. */
  private static String assertIsCalled(String address, Tls tls, FakeServer server)
      throws Exception {
    try (CalculateClient client = CalculateClient.connect(address, Certificates.with(tls))) {
      Peer peer = server.accept();
      var call = Background.run(() -> client.square(9));
      peer.answerRoot();
      assertEquals(3, Background.get(call));
      return peer.clientName();
    }
  }

  private static TransportError callAsynchronously(String address, Tls tls) {
    CalculateClient client;
    try {
      client = CalculateClient.connect(address, Certificates.with(tls));
    } catch (ConnectError e) {
      return e;
    }
    try (client) {
      return Background.failure(TransportError.class, client.squareAsync(9));
    }
  }

  private static ServerSocket listenOnIpv6() throws IOException {
    try {
      return new ServerSocket(0, 1, InetAddress.getByName("::1"));
    } catch (SocketException e) {
      throw new TestAbortedException("this machine has no IPv6", e);
    }
  }
}
