package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.thrift.TSerializable;
import org.apache.thrift.protocol.TMessageType;
import org.junit.jupiter.api.Test;

/** A oneway call is over when it was sent: nobody answers it, and nobody waits. */
class OnewayCallTest extends ConnectedClient {
  private static final Method<?, Void> NOTE = Method.oneway("Note");
  private static final TSerializable SHORT = args("short");

  /** More than a socket takes while its peer does not read. */
  private static final TSerializable LONG = args("x".repeat(16_000_000));

  private static final CallOptions LATE =
      CallOptions.defaults().withTimeout(Duration.ofMillis(300));
  private static final CallOptions PATIENT =
      CallOptions.defaults().withTimeout(Duration.ofSeconds(10));

  @Test
  void it_gives_null_and_calls_go_on_around_it() throws Exception {
    for (int i = 0; i < 10; i++) {
      assertNull(client.call(NOTE, SHORT));
      assertEquals(2 * i + 1, readNote());
      var call = Background.run(() -> client.square(9));
      peer.answerRoot();
      assertEquals(3, Background.get(call));
    }
  }

  @Test
  void an_asynchronous_one_gives_null_too() throws Exception {
    for (int i = 0; i < 10; i++) {
      CompletableFuture<Void> note = client.callAsync(NOTE, SHORT);
      CompletableFuture<Double> call = client.squareAsync(9);
      assertNull(Background.get(note));
      assertEquals(2 * i + 1, readNote());
      peer.answerRoot();
      assertEquals(3, Background.get(call));
    }
  }

  @Test
  void it_is_sent_behind_a_call_that_has_no_answer_yet() throws Exception {
    var blocking = Background.run(() -> client.square(9));
    Peer.Request first = peer.read();
    client.call(NOTE, SHORT);
    readNote();
    Background.get(client.callAsync(NOTE, SHORT));
    readNote();
    peer.reply(first, 3);
    assertEquals(3, Background.get(blocking));

    CompletableFuture<Double> asynchronous = client.squareAsync(16);
    Peer.Request second = peer.read();
    client.call(NOTE, SHORT);
    readNote();
    peer.reply(second, 4);
    assertEquals(4, Background.get(asynchronous));
  }

  @Test
  void many_callers_mix_them_with_calls() throws Exception {
    AtomicInteger notes = new AtomicInteger();
    Background.start(() -> answerAndCount(notes));
    List<CompletableFuture<?>> callers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      double number = i;
      callers.add(
          Background.run(
              () -> {
                for (int call = 0; call < 200; call++) {
                  assertNull(client.call(NOTE, SHORT));
                  assertEquals(number, client.square(number * number));
                  client.callAsync(NOTE, SHORT);
                  assertEquals(number, Background.get(client.squareAsync(number * number)));
                }
                return null;
              }));
    }
    for (CompletableFuture<?> caller : callers) {
      Background.get(caller);
    }
    assertEquals(2 * 8 * 200, notes.get(), "each was before a call that was answered");
  }

  @Test
  void an_answer_to_it_is_a_protocol_error() throws Exception {
    client.call(NOTE, SHORT);
    int id = readNote();
    var call = Background.run(() -> client.square(9));
    peer.read();
    peer.send(Peer.frame("Note", TMessageType.REPLY, id, Peer.result(3)));
    ProtocolError error = Background.failure(ProtocolError.class, call);
    assertTrue(error.getMessage().contains("a reply to call " + id), error.getMessage());
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void a_connection_that_was_closed_while_idle_does_not_swallow_it() throws Exception {
    peer.close();
    var note = Background.run(() -> client.call(NOTE, SHORT));
    peer = server.accept();
    readNote();
    assertNull(Background.get(note));

    peer.close();
    CompletableFuture<Void> other = client.callAsync(NOTE, SHORT);
    peer = server.accept();
    readNote();
    assertNull(Background.get(other));
  }

  @Test
  void a_connection_that_is_lost_before_all_of_it_was_sent_fails_it() throws Exception {
    var blocking = Background.run(() -> client.call(NOTE, LONG));
    peer.readOnce();
    peer.cut();
    Background.failure(ConnectionClosed.class, blocking);

    CompletableFuture<Void> asynchronous = client.callAsync(NOTE, LONG);
    peer = server.accept();
    peer.readOnce();
    peer.cut();
    Background.failure(ConnectionClosed.class, asynchronous);
  }

  @Test
  void a_server_that_does_not_read_cannot_hold_it_beyond_its_deadline() throws Exception {
    DeadlineExceeded error =
        assertThrows(DeadlineExceeded.class, () -> client.call(NOTE, LONG, LATE));
    assertTrue(
        error.getMessage().startsWith(server.address() + " did not take Note within 0.3 s"),
        error.getMessage());
    var call = Background.run(() -> client.square(9));
    server.accept().answerRoot();
    assertEquals(3, Background.get(call));
  }

  @Test
  void nor_an_asynchronous_one() throws Exception {
    DeadlineExceeded error =
        Background.failure(DeadlineExceeded.class, client.callAsync(NOTE, LONG, LATE));
    assertTrue(error.getMessage().contains(" did not take Note within 0.3 s"), error.getMessage());
    var call = Background.run(() -> client.square(9));
    server.accept().answerRoot();
    assertEquals(3, Background.get(call));
  }

  @Test
  void a_long_one_is_over_when_the_server_has_taken_it() throws Exception {
    var blocking = Background.run(() -> client.call(NOTE, LONG, PATIENT));
    readNote();
    assertNull(Background.get(blocking));
    CompletableFuture<Void> asynchronous = client.callAsync(NOTE, LONG, PATIENT);
    readNote();
    assertNull(Background.get(asynchronous));
    var call = Background.run(() -> client.square(9));
    peer.answerRoot();
    assertEquals(3, Background.get(call));
  }

  @Test
  void it_goes_on_when_the_caller_before_it_gives_up() throws Exception {
    var late = Background.run(() -> client.call(NOTE, LONG, LATE));
    peer.readOnce();
    var blocking = Background.run(() -> client.call(NOTE, SHORT, PATIENT));
    var asynchronous = Background.run(() -> client.callAsync(NOTE, SHORT, PATIENT).join());
    Background.failure(DeadlineExceeded.class, late);
    // What was being sent is sent to its end, or the connection could not be used any more.
    CompletableFuture<Void> taken =
        Background.run(
            () -> {
              while (peer.readOnce().length > 0) {}
              return null;
            });
    // Who did not come in time is on another connection.
    CompletableFuture<Void> others = CompletableFuture.allOf(blocking, asynchronous);
    Background.get(others);
    client.close();
    Background.get(taken);
  }

  @Test
  void closing_the_client_fails_those_that_are_not_sent() throws Exception {
    var blocking = Background.run(() -> client.call(NOTE, LONG));
    CompletableFuture<Void> asynchronous = client.callAsync(NOTE, LONG);
    peer.readOnce();
    client.close();
    Background.failure(ConnectionClosed.class, blocking);
    Background.failure(ConnectionClosed.class, asynchronous);
  }

  @Test
  void of_several_servers_another_gets_it_when_nothing_was_sent() throws Exception {
    String nobody;
    try (FakeServer gone = new FakeServer()) {
      nobody = gone.address();
    }
    Options options =
        options().withBalancing(Balancing.defaults().withBalance(Balance.ROUND_ROBIN));
    try (CalculateClient balanced =
        CalculateClient.connect(nobody + "," + server.address(), options)) {
      peer = server.accept();
      for (int i = 0; i < 4; i++) {
        assertNull(balanced.call(NOTE, SHORT));
        readNote();
        assertNull(Background.get(balanced.callAsync(NOTE, SHORT)));
        readNote();
      }
      assertEquals(0, balanced.counters().orElseThrow().failures());
    }
  }

  @Test
  void of_several_servers_no_other_gets_it_when_some_was_sent() throws Exception {
    try (FakeServer other = new FakeServer(tls());
        CalculateClient balanced =
            CalculateClient.connect(server.address() + "," + other.address(), options())) {
      var note = Background.run(() -> balanced.call(NOTE, LONG, PATIENT));
      Peer taker = whoeverIsSentTo(server, other);
      taker.cut();
      Background.failure(ConnectionClosed.class, note);
      assertEquals(0, balanced.counters().orElseThrow().retries());
    }
  }

  @Test
  void its_callback_may_call() throws Exception {
    CompletableFuture<Double> chain =
        client.callAsync(NOTE, SHORT).thenCompose(nothing -> client.squareAsync(9));
    readNote();
    peer.answerRoot();
    assertEquals(3, Background.get(chain));
  }

  /** The first of their peers that something is sent to. */
  private static Peer whoeverIsSentTo(FakeServer... servers) throws Exception {
    CompletableFuture<Peer> first = new CompletableFuture<>();
    for (FakeServer each : servers) {
      Background.run(
          () -> {
            Peer peer = each.accept();
            return peer.readOnce().length > 0 && first.complete(peer);
          });
    }
    return Background.get(first);
  }

  private void answerAndCount(AtomicInteger notes) {
    try {
      while (true) {
        byte[] frame = peer.readFrame();
        if (frame[3] == TMessageType.ONEWAY) {
          notes.incrementAndGet();
        } else {
          Peer.Request request = Peer.request(frame);
          peer.reply(request, Math.sqrt(request.value()));
        }
      }
    } catch (Exception e) {
      // The client is gone.
    }
  }

  /** The id of the note that comes next. */
  private int readNote() throws Exception {
    byte[] frame = peer.readFrame();
    assertEquals(TMessageType.ONEWAY, frame[3]);
    Peer.Request note = Peer.request(frame);
    assertEquals("Note", note.method());
    return note.id();
  }

  private static TSerializable args(String text) {
    return new calculate.idl.DomainError(text, 0);
  }
}
