package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.idl.Calculate;
import calculate.idl.Number;
import java.time.Duration;
import org.apache.thrift.TSerializable;
import org.apache.thrift.protocol.TMessageType;
import org.junit.jupiter.api.Test;

/** A client calls what a {@link Method} describes, which need not be in Calculate's IDL. */
class OtherIdlTest extends ConnectedClient {
  private static final Method<Calculate.Square_result, Number> ROOT =
      Method.of("Root", Calculate.Square_result::new, Calculate.Square_result::getSuccess);

  /** A result without a value: any struct whose fields are not numbered 0. */
  private static final Method<Calculate.Cal_args, Void> NOTHING =
      Method.of("Nothing", Calculate.Cal_args::new);

  private static final TSerializable ARGS = new Calculate.Square_args(new Number(9));

  @Test
  void a_value_is_what_the_result_holds() throws Exception {
    var blocking = Background.run(() -> client.call(ROOT, ARGS));
    answer("Root", Peer.result(3));
    assertEquals(new Number(3), Background.get(blocking));
    var asynchronous = client.callAsync(ROOT, ARGS);
    answer("Root", Peer.result(3));
    assertEquals(new Number(3), Background.get(asynchronous));
  }

  @Test
  void a_method_without_a_value_gives_null() throws Exception {
    var blocking = Background.run(() -> client.call(NOTHING, ARGS));
    answer("Nothing", new Calculate.Cal_args());
    assertNull(Background.get(blocking));
    var asynchronous = client.callAsync(NOTHING, ARGS);
    answer("Nothing", new Calculate.Cal_args());
    assertNull(Background.get(asynchronous));
  }

  @Test
  void a_declared_exception_is_a_declared_error() throws Exception {
    Calculate.Square_result result = new Calculate.Square_result();
    result.setError(new calculate.idl.DomainError("no\nroot", -4));
    var call = Background.run(() -> client.call(ROOT, ARGS));
    answer("Root", result);
    DeclaredError error = Background.failure(DeclaredError.class, call);
    assertEquals(new calculate.idl.DomainError("no\nroot", -4), error.exception());
    assertSame(error.exception(), error.getCause());
    assertTrue(
        error.getMessage().startsWith(server.address() + " answered with DomainError("),
        error.getMessage());
    assertFalse(error.getMessage().contains("\n"));
  }

  @Test
  void a_result_that_holds_nothing_is_a_protocol_error() throws Exception {
    var call = Background.run(() -> client.call(ROOT, ARGS));
    answer("Root", new Calculate.Square_result());
    Background.failure(ProtocolError.class, call);
  }

  @Test
  void a_call_has_its_own_options() {
    CallOptions options = CallOptions.key("customer-7").withTimeout(Duration.ofMillis(50));
    assertThrows(DeadlineExceeded.class, () -> client.call(ROOT, ARGS, options));
    Background.failure(DeadlineExceeded.class, client.callAsync(ROOT, ARGS, options));
  }

  @Test
  void a_method_that_does_not_fit_its_result_is_refused() {
    assertThrows(
        IllegalArgumentException.class, () -> Method.of("Root", Calculate.Square_result::new));
    assertThrows(
        IllegalArgumentException.class,
        () -> Method.of("Nothing", Calculate.Cal_args::new, Calculate.Cal_args::getNumber));
  }

  private void answer(String method, TSerializable result) throws Exception {
    Peer.Request request = peer.read();
    assertEquals(method, request.method());
    peer.send(Peer.frame(method, TMessageType.REPLY, request.id(), result));
  }
}
