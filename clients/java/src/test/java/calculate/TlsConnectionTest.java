package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.thrift.protocol.TMessageType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records that a server cuts, ends, spoils and adds to as it likes. */
class TlsConnectionTest {
  private FakeServer server;
  private CalculateClient client;
  private Peer peer;
  private HandMadeTls tls;

  @BeforeEach
  void listen() throws Exception {
    server = new FakeServer();
  }

  @AfterEach
  void close() throws Exception {
    if (client != null) {
      client.close();
    }
    server.close();
  }

  private void connect(String version) throws Exception {
    Options options = Certificates.with(Certificates.trusting());
    var connecting = Background.run(() -> CalculateClient.connect(server.address(), options));
    accept(version);
    client = Background.get(connecting);
  }

  private void accept(String version) throws Exception {
    peer = server.accept();
    tls = new HandMadeTls(peer, ServerTls.showing("server", version));
    peer.send(tls.shakeHands());
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void replies_are_found_however_their_records_are_cut(String version) throws Exception {
    connect(version);
    Random dice = new Random(5);
    for (int i = 0; i < 200; i++) {
      double number = i;
      CompletableFuture<Double> call =
          i % 2 == 0
              ? client.squareAsync(number * number)
              : Background.run(() -> client.square(number * number));
      byte[] reply = reply(tls.read());
      int cut = dice.nextInt(reply.length);
      byte[] records =
          tls.encrypted(Arrays.copyOf(reply, cut), Arrays.copyOfRange(reply, cut, reply.length));
      for (int from = 0; from < records.length; ) {
        int to = Math.min(records.length, from + 1 + dice.nextInt(60));
        peer.send(Arrays.copyOfRange(records, from, to));
        from = to;
      }
      assertEquals(number, Background.get(call));
    }
  }

  @Test
  void all_replies_of_one_read_are_handed_out() throws Exception {
    connect("TLSv1.3");
    List<CompletableFuture<Double>> calls = new ArrayList<>();
    List<byte[]> replies = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      double number = i;
      calls.add(
          i % 2 == 0
              ? client.squareAsync(number * number)
              : Background.run(() -> client.square(number * number)));
      replies.add(reply(tls.read()));
    }
    Collections.shuffle(replies, new Random(1));
    peer.send(tls.encrypted(replies.toArray(byte[][]::new)));
    List<Double> values = new ArrayList<>();
    for (CompletableFuture<Double> call : calls) {
      values.add(Background.get(call));
    }
    for (int i = 0; i < 64; i++) {
      assertEquals(i, values.get(i));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_long_reply_arrives_whole(boolean blocking) throws Exception {
    connect("TLSv1.3");
    var call = blocking ? Background.run(() -> client.square(-1)) : client.squareAsync(-1);
    String text = "0123456789".repeat(1_000_000);
    calculate.idl.Calculate.Square_result result = new calculate.idl.Calculate.Square_result();
    result.setError(new calculate.idl.DomainError(text, -1));
    peer.send(tls.encrypted(Peer.frame("Square", TMessageType.REPLY, tls.read().id(), result)));
    assertEquals(text, Background.failure(DomainError.class, call).text());
  }

  /** The server ends TLS and leaves the socket open: nothing more wakes who waits for it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void an_end_that_came_with_the_last_reply_is_not_overlooked(boolean blocking) throws Exception {
    connect("TLSv1.3");
    for (int i = 0; i < 3; i++) {
      double number = i;
      var call =
          blocking
              ? Background.run(() -> client.square(number * number))
              : client.squareAsync(number * number);
      peer.send(Peer.concat(tls.encrypted(reply(tls.read())), tls.closeNotify()));
      assertEquals(number, Background.get(call));
      var next = Background.run(() -> client.square(81));
      accept("TLSv1.3");
      peer.send(tls.encrypted(reply(tls.read())));
      assertEquals(9, Background.get(next));
    }
  }

  @Test
  void an_end_with_calls_in_flight_fails_them() throws Exception {
    connect("TLSv1.3");
    CompletableFuture<Double> asynchronous = client.squareAsync(9);
    var blocking = Background.run(() -> client.square(9));
    tls.read();
    tls.read();
    peer.send(tls.closeNotify());
    String says = " closed the connection before it replied";
    for (var call : List.of(asynchronous, blocking)) {
      ConnectionClosed error = Background.failure(ConnectionClosed.class, call);
      assertTrue(error.getMessage().startsWith(server.address() + says), error.getMessage());
    }
  }

  /** Again the socket stays open. */
  @Test
  void an_end_that_came_with_a_reply_fails_the_other_calls_in_flight() throws Exception {
    connect("TLSv1.3");
    CompletableFuture<Double> first = client.squareAsync(9);
    Peer.Request request = tls.read();
    CompletableFuture<Double> asynchronous = client.squareAsync(9);
    var blocking = Background.run(() -> client.square(9));
    tls.read();
    tls.read();
    peer.send(Peer.concat(tls.encrypted(reply(request)), tls.closeNotify()));
    assertEquals(3, Background.get(first));
    Background.failure(ConnectionClosed.class, asynchronous);
    Background.failure(ConnectionClosed.class, blocking);
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_stream_that_is_cut_off_is_told_from_one_that_ended(String version) throws Exception {
    connect(version);
    CompletableFuture<Double> asynchronous = client.squareAsync(9);
    var blocking = Background.run(() -> client.square(9));
    tls.read();
    tls.read();
    peer.close();
    for (var call : List.of(asynchronous, blocking)) {
      ConnectionClosed error = Background.failure(ConnectionClosed.class, call);
      String says = "was lost (cut off without a TLS close_notify): the call may have been";
      assertTrue(error.getMessage().contains(says), error.getMessage());
    }
  }

  @Test
  void a_reply_that_is_cut_off_is_none() throws Exception {
    connect("TLSv1.3");
    CompletableFuture<Double> call = client.squareAsync(9);
    byte[] record = tls.encrypted(reply(tls.read()));
    peer.send(Arrays.copyOf(record, record.length - 1));
    peer.close();
    Background.failure(ConnectionClosed.class, call);
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_record_that_was_changed_on_the_way_is_refused(String version) throws Exception {
    connect(version);
    CompletableFuture<Double> call = client.squareAsync(9);
    byte[] record = tls.encrypted(reply(tls.read()));
    record[record.length - 1] ^= 1;
    peer.send(record);
    ConnectionClosed error = Background.failure(ConnectionClosed.class, call);
    assertTrue(error.getMessage().contains("was lost (TLS failed: "), error.getMessage());
  }

  @Test
  void what_is_no_record_is_refused() throws Exception {
    connect("TLSv1.3");
    CompletableFuture<Double> call = client.squareAsync(9);
    peer.send(reply(tls.read()));
    ConnectionClosed error = Background.failure(ConnectionClosed.class, call);
    assertTrue(error.getMessage().contains("was lost (TLS failed: "), error.getMessage());
    assertEquals(1, error.getMessage().lines().count());
  }

  @Test
  void empty_records_are_nothing() throws Exception {
    connect("TLSv1.2");
    CompletableFuture<Double> call = client.squareAsync(9);
    byte[] reply = reply(tls.read());
    peer.send(tls.emptyRecord());
    peer.send(tls.encrypted(reply));
    assertEquals(3, Background.get(call));
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void the_server_is_told_of_the_end_and_nothing_is_sent_behind_it(String version)
      throws Exception {
    connect(version);
    CompletableFuture<Double> call = client.squareAsync(9);
    tls.read();
    client.close();
    Background.failure(ConnectionClosed.class, call);
    assertThrows(java.io.EOFException.class, tls::read, "close_notify");
    assertEquals(0, peer.readOnce().length);
  }

  @Test
  void a_server_that_does_not_read_holds_nobody_beyond_the_deadline() throws Exception {
    connect("TLSv1.3");
    List<CompletableFuture<Double>> calls = new ArrayList<>();
    for (int i = 0; i < 200_000; i++) {
      calls.add(client.squareAsync(i, Duration.ofSeconds(1)));
    }
    assertThrows(DeadlineExceeded.class, () -> client.square(9, Duration.ofMillis(100)));
    Background.failure(DeadlineExceeded.class, calls.get(0));
    Background.failure(DeadlineExceeded.class, calls.get(calls.size() - 1));
  }

  /** Under TLS 1.3 each side may change its key at any time, and ask the other to. */
  @Test
  void key_updates_are_followed_and_answered() throws Exception {
    try (FakeServer updating = new FakeServer(ServerTls.showing("server", "TLSv1.3"));
        CalculateClient other =
            CalculateClient.connect(
                updating.address(), Certificates.with(Certificates.trusting()))) {
      Peer itsPeer = updating.accept();
      for (int i = 0; i < 20; i++) {
        double number = i;
        CompletableFuture<Double> asynchronous = other.squareAsync(number * number);
        var blocking = Background.run(() -> other.square(number * number));
        itsPeer.shakeHandsAgain();
        itsPeer.answerRoots(2);
        assertEquals(number, Background.get(asynchronous));
        assertEquals(number, Background.get(blocking));
        // One that comes while nobody is in a call.
        itsPeer.shakeHandsAgain();
      }
    }
  }

  @Test
  void key_updates_are_answered_while_calls_wait_for_room() throws Exception {
    try (FakeServer updating = new FakeServer(ServerTls.showing("server", "TLSv1.3"));
        CalculateClient other =
            CalculateClient.connect(
                updating.address(), Certificates.with(Certificates.trusting()))) {
      Peer itsPeer = updating.accept();
      List<CompletableFuture<Double>> calls = new ArrayList<>();
      for (int i = 0; i < 200_000; i++) {
        calls.add(other.squareAsync(i, Duration.ofSeconds(60)));
      }
      for (int i = 0; i < 2_000; i++) {
        if (i % 100 == 0) {
          itsPeer.shakeHandsAgain();
        }
        itsPeer.answerRoots(100);
      }
      for (int i = 0; i < 200_000; i++) {
        assertEquals(Math.sqrt(i), Background.get(calls.get(i)));
      }
    }
  }

  @Test
  void another_handshake_on_the_same_connection_is_refused() throws Exception {
    try (FakeServer renegotiating = new FakeServer(ServerTls.showing("server", "TLSv1.2"));
        CalculateClient other =
            CalculateClient.connect(
                renegotiating.address(), Certificates.with(Certificates.trusting()))) {
      Peer itsPeer = renegotiating.accept();
      CompletableFuture<Double> call = other.squareAsync(9);
      itsPeer.read();
      Background.run(
          () -> {
            itsPeer.shakeHandsAgain();
            return null;
          });
      ConnectionClosed error = Background.failure(ConnectionClosed.class, call);
      assertTrue(error.getMessage().contains("asks to renegotiate"), error.getMessage());
    }
  }

  private static byte[] reply(Peer.Request request) throws Exception {
    return Peer.frame(
        request.method(),
        TMessageType.REPLY,
        request.id(),
        Peer.result(Math.sqrt(request.value())));
  }
}
