package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in by TLS, and what is said to who is not. */
class TlsHandshakeTest {
  private static final Duration SHORT = Duration.ofSeconds(1);

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
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
      Options options = Certificates.with(Certificates.trusting());
      String address = "[::1]:" + listener.getLocalPort();
      var connecting = Background.run(() -> CalculateClient.connect(address, options));
      try (Peer peer = ServerTls.showing("server", "TLSv1.3").accept(listener.accept());
          CalculateClient client = Background.get(connecting)) {
        var call = Background.run(() -> client.square(9));
        peer.answerRoot();
        assertEquals(3, Background.get(call));
      }
    } catch (java.net.SocketException e) {
      assumeTrue(false, "this machine has no IPv6");
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
        String text = refusal(address, Certificates.trusting());
        String start = "cannot connect to " + address + " with TLS: " + says;
        assertTrue(text.startsWith(start), text);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_server_that_is_refused_is_told(String version) throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> refusal(server.address(), Certificates.trusting()));
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
      String text = refusal(server.address(), Certificates.trusting());
      assertTrue(text.contains("its certificate is not accepted ("), text);
    }
  }

  @Test
  void an_address_that_is_not_in_the_certificate_is_refused() throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.showing("elsewhere", "TLSv1.3"))) {
      String text = refusal(server.address(), Certificates.trusting());
      assertTrue(text.contains("is for elsewhere.test, not for 127.0.0.1; "), text);
    }
  }

  @Test
  void the_server_name_replaces_the_targets_host() throws Exception {
    Tls elsewhere = Certificates.trusting().withServerName("elsewhere.test");
    try (FakeServer server = new FakeServer(ServerTls.showing("elsewhere", "TLSv1.3"))) {
      assertIsCalled(server.address(), elsewhere, server);
    }
    try (FakeServer server = new FakeServer(ServerTls.showing("server", "TLSv1.3"))) {
      String text = refusal(server.address(), elsewhere);
      assertTrue(text.contains("its certificate is for localhost, 127.0.0.1, "), text);
      assertTrue(text.contains(", not for elsewhere.test; "), text);
    }
  }

  @Test
  void an_authority_of_the_system_does_not_vouch_for_ours() throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.showing("server", "TLSv1.3"))) {
      assertTrue(refusal(server.address(), Tls.system()).contains("is not trusted"));
      Tls strange = Tls.ca(Certificates.certificate("strange-ca"));
      assertTrue(refusal(server.address(), strange).contains("is not trusted"));
    }
  }

  @Test
  void a_context_of_ones_own_is_used_and_names_are_checked_all_the_same() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(ServerTls.keys("alice"), ServerTls.trust("ca"), null);
    try (FakeServer server = new FakeServer(ServerTls.asking("TLSv1.3"))) {
      assertIsCalled(server.address(), Tls.context(context), server);
      Tls elsewhere = Tls.context(context).withServerName("elsewhere.test");
      String text = refusal(server.address(), elsewhere);
      assertTrue(
          text.contains("its certificate is for another name, not for elsewhere.test"), text);
    }
    try (FakeServer server = new FakeServer(ServerTls.showing("expired", "TLSv1.3"))) {
      String text = refusal(server.address(), Tls.context(context));
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
            assertThrows(TransportError.class, () -> callOnce(server.address(), tls));
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
              TransportError.class, () -> callOnce(server.address(), Tls.context(context)));
      assertTrue(
          error.getMessage().contains("it refused the client certificate"), error.getMessage());
    }
  }

  @Test
  void no_cipher_in_common_is_told() throws Exception {
    // Not for a certificate like ours.
    String cipher = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    try (FakeServer server = new FakeServer(new ServerTls("server", "TLSv1.2", null, cipher))) {
      String text = refusal(server.address(), Certificates.trusting());
      assertTrue(text.contains("no TLS version or cipher in common (handshake failure)"), text);
    }
  }

  @Test
  void no_version_in_common_is_told() throws Exception {
    SSLContext context = SSLContext.getInstance("TLSv1.2");
    context.init(null, ServerTls.trust("ca"), null);
    try (FakeServer server = new FakeServer(ServerTls.showing("server", "TLSv1.3"))) {
      String text = refusal(server.address(), Tls.context(context));
      assertTrue(text.contains("no TLS version or cipher in common (protocol version)"), text);
    }
  }

  @Test
  void a_version_that_is_not_spoken_here_is_told() throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> refusal(server.address(), Certificates.trusting()));
      Peer peer = server.accept();
      peer.readOnce();
      // A ServerHello of TLS 1.0: version, random, no session, a cipher, no compression.
      String hello = "0301" + "11".repeat(32) + "00" + "c009" + "00";
      peer.send(HexFormat.of().parseHex("160301002a" + "02000026" + hello));
      assertTrue(
          Background.get(text).contains("no TLS version or cipher in common ("),
          Background.get(text));
    }
  }

  @Test
  void a_server_without_tls_is_recognised() throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> refusal(server.address(), Certificates.trusting()));
      Peer peer = server.accept();
      peer.readOnce();
      peer.send(new byte[] {0, 0, 0, 32, (byte) 0x80, 1, 0, 3});
      String says = "it does not speak TLS; for a plain Thrift port, connect without TLS";
      assertTrue(Background.get(text).contains(says), Background.get(text));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_server_that_hangs_up_as_tls_begins_may_not_speak_it(boolean reads) throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> refusal(server.address(), Certificates.trusting()));
      Peer peer = server.accept();
      if (reads) {
        peer.readOnce();
      }
      peer.close();
      String says = "it closed the connection as TLS began, so it may not speak TLS; ";
      assertTrue(Background.get(text).contains(says), Background.get(text));
    }
  }

  /** What a server sends that stops half-way. */
  enum Beginning {
    NOTHING(""),
    A_BYTE("16"),
    PART_OF_A_SERVER_HELLO("160303007a0200");

    final byte[] bytes;

    Beginning(String hex) {
      bytes = HexFormat.of().parseHex(hex);
    }
  }

  @Test
  void a_server_that_hangs_up_during_the_handshake_is_told_of() throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> refusal(server.address(), Certificates.trusting()));
      Peer peer = server.accept();
      peer.readOnce();
      peer.send(Beginning.PART_OF_A_SERVER_HELLO.bytes);
      peer.close();
      String says = "it closed the connection during the TLS handshake";
      assertTrue(Background.get(text).contains(says), Background.get(text));
    }
  }

  @ParameterizedTest
  @EnumSource(Beginning.class)
  void a_handshake_that_stalls_ends_at_the_deadline(Beginning beginning) throws Exception {
    try (FakeServer server = new FakeServer()) {
      Options options = Certificates.with(Certificates.trusting()).withTimeout(SHORT);
      long start = System.nanoTime();
      var connecting = Background.run(() -> CalculateClient.connect(server.address(), options));
      Peer peer = server.accept();
      peer.readOnce();
      peer.send(beginning.bytes);
      DeadlineExceeded error = Background.failure(DeadlineExceeded.class, connecting);
      assertTrue(System.nanoTime() - start >= SHORT.toNanos());
      String says = "no TLS handshake with " + server.address() + " within 1 s: ";
      assertTrue(error.getMessage().startsWith(says), error.getMessage());
      assertTrue(peer.isClosedByClient());
    }
  }

  @Test
  void a_handshake_that_trickles_does_not_extend_the_deadline() throws Exception {
    try (FakeServer server = new FakeServer()) {
      Options options = Certificates.with(Certificates.trusting()).withTimeout(SHORT);
      var connecting = Background.run(() -> CalculateClient.connect(server.address(), options));
      Peer peer = server.accept();
      peer.readOnce();
      peer.send(HexFormat.of().parseHex("1603033fff"));
      var timer = Executors.newSingleThreadScheduledExecutor();
      var trickling = timer.scheduleAtFixedRate(() -> send(peer), 0, 20, TimeUnit.MILLISECONDS);
      Background.failure(DeadlineExceeded.class, connecting);
      // The client's closing ends it.
      assertThrows(ExecutionException.class, () -> trickling.get(10, TimeUnit.SECONDS));
      timer.shutdown();
    }
  }

  @Test
  void a_call_that_has_to_connect_anew_keeps_its_deadline_in_the_handshake() throws Exception {
    try (FakeServer server = new FakeServer(ServerTls.showing("server", "TLSv1.3"));
        CalculateClient client =
            CalculateClient.connect(server.address(), Certificates.with(Certificates.trusting()))) {
      server.accept().close();
      server.stopShakingHands();
      DeadlineExceeded error = assertThrows(DeadlineExceeded.class, () -> client.square(9, SHORT));
      assertTrue(error.getMessage().contains("within 1 s"), error.getMessage());
      Background.failure(DeadlineExceeded.class, client.squareAsync(9, SHORT));
    }
  }

  @Test
  void an_interrupt_ends_the_handshake() throws Exception {
    try (FakeServer server = new FakeServer()) {
      CompletableFuture<CalculateError> failure = new CompletableFuture<>();
      Thread connecting =
          Background.start(
              () ->
                  failure.complete(
                      assertThrows(
                          CalculateError.class,
                          () -> callOnce(server.address(), Certificates.trusting()))));
      Peer peer = server.accept();
      peer.readOnce();
      connecting.interrupt();
      assertInstanceOf(InterruptedException.class, Background.get(failure).getCause());
      assertTrue(peer.isClosedByClient());
    }
  }

  @Test
  void a_server_that_speaks_first_is_refused() throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> refusal(server.address(), Certificates.trusting()));
      Peer peer = server.accept();
      HandMadeTls tls = new HandMadeTls(peer, ServerTls.showing("server", "TLSv1.2"));
      peer.send(Peer.concat(tls.shakeHands(), tls.encrypted("220 ready".getBytes())));
      String says = "it sent data before it was asked for any; is it a Thrift server?";
      assertTrue(Background.get(text).contains(says), Background.get(text));
    }
  }

  @ParameterizedTest
  @EnumSource(Framing.class)
  void a_plain_client_on_a_tls_port_learns_it_from_the_servers_alert(Framing framing)
      throws Exception {
    try (FakeServer server = new FakeServer();
        CalculateClient client =
            CalculateClient.connect(server.address(), Options.defaults().withFraming(framing))) {
      Peer peer = server.accept();
      var call = client.squareAsync(9);
      peer.readOnce();
      peer.send(HexFormat.of().parseHex("15030300020246"));
      ConnectionClosed error = Background.failure(ConnectionClosed.class, call);
      String says = " closed the connection, as it wants TLS; connect with TLS";
      assertEquals(server.address() + says, error.getMessage());
    }
  }

  @Test
  void a_plain_client_on_a_tls_port_may_learn_it_from_the_end_only() throws Exception {
    try (FakeServer server = new FakeServer();
        CalculateClient client = CalculateClient.connect(server.address())) {
      Peer peer = server.accept();
      var call = client.squareAsync(9);
      peer.readOnce();
      peer.close();
      ConnectionClosed error = Background.failure(ConnectionClosed.class, call);
      String says = "; if the server wants TLS, connect with TLS";
      assertTrue(error.getMessage().endsWith(says), error.getMessage());
    }
  }

  @Test
  void a_server_that_has_answered_before_is_not_taken_for_one_with_tls() throws Exception {
    try (FakeServer server = new FakeServer();
        CalculateClient client = CalculateClient.connect(server.address())) {
      Peer peer = server.accept();
      var first = client.squareAsync(9);
      peer.answerRoot();
      assertEquals(3, Background.get(first));
      var second = client.squareAsync(9);
      peer.read();
      peer.close();
      ConnectionClosed error = Background.failure(ConnectionClosed.class, second);
      assertFalse(error.getMessage().contains("TLS"), error.getMessage());
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

  private static void send(Peer peer) {
    try {
      peer.send(new byte[1]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void callOnce(String address, Tls tls) {
    try (CalculateClient client = CalculateClient.connect(address, Certificates.with(tls))) {
      client.square(9);
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

  /** What a client is told that cannot connect. */
  private static String refusal(String address, Tls tls) {
    ConnectError error = assertThrows(ConnectError.class, () -> callOnce(address, tls));
    String text = error.getMessage();
    assertEquals(1, text.lines().count(), text);
    assertTrue(text.startsWith("cannot connect to " + address + " with TLS: "), text);
    return text;
  }
}
