package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Handshakes that cannot succeed, or do not in time, and what is said of them. */
class TlsHandshakeTest {
  private static final Duration SHORT = Duration.ofSeconds(1);

  @Test
  void no_cipher_in_common_is_told() throws Exception {
    // Not for a certificate like ours.
    String cipher = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    try (FakeServer server = new FakeServer(new ServerTls("server", "TLSv1.2", null, cipher))) {
      String text = TlsRefusal.of(server.address(), Certificates.trusting());
      assertTrue(text.contains("no TLS version or cipher in common (handshake failure)"), text);
    }
  }

  @Test
  void no_version_in_common_is_told() throws Exception {
    SSLContext context = SSLContext.getInstance("TLSv1.2");
    context.init(null, ServerTls.trust("ca"), null);
    try (FakeServer server = new FakeServer(ServerTls.showing("server", "TLSv1.3"))) {
      String text = TlsRefusal.of(server.address(), Tls.context(context));
      assertTrue(text.contains("no TLS version or cipher in common (protocol version)"), text);
    }
  }

  @Test
  void a_version_that_is_not_spoken_here_is_told() throws Exception {
    try (FakeServer server = new FakeServer()) {
      var text = Background.run(() -> TlsRefusal.of(server.address(), Certificates.trusting()));
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
      var text = Background.run(() -> TlsRefusal.of(server.address(), Certificates.trusting()));
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
      var text = Background.run(() -> TlsRefusal.of(server.address(), Certificates.trusting()));
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
      var text = Background.run(() -> TlsRefusal.of(server.address(), Certificates.trusting()));
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
                          () -> TlsRefusal.callOnce(server.address(), Certificates.trusting()))));
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
      var text = Background.run(() -> TlsRefusal.of(server.address(), Certificates.trusting()));
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

  private static void send(Peer peer) {
    try {
      peer.send(new byte[1]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
