package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.thrift.protocol.TMessageType;
import org.junit.jupiter.api.Test;

/** A reply that is none closes its connection, and every call hears of it. */
class HostileServerTest extends ConnectedClient {
  @Test
  void a_long_frame_is_refused_by_its_header() throws Exception {
    var call = client.squareAsync(9);
    peer.read();
    peer.send(new byte[] {0x7f, 0x7f, 0x7f, 0x7f});
    ProtocolError error = Background.failure(ProtocolError.class, call);
    assertTrue(error.getMessage().contains("2139062143 bytes"), error.getMessage());
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void a_fault_fails_its_own_call_and_closes_the_connection_for_the_others() throws Exception {
    var first = client.squareAsync(4);
    var second = client.squareAsync(9);
    peer.read();
    Peer.Request faulty = peer.read();
    peer.send(Peer.frame("Cal", TMessageType.REPLY, faulty.id(), Peer.result(3)));
    Background.failure(ProtocolError.class, second);
    ConnectionClosed error = Background.failure(ConnectionClosed.class, first);
    assertInstanceOf(ProtocolError.class, error.getCause());
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void a_reply_to_no_call_fails_the_oldest_call_and_closes() throws Exception {
    var first = client.squareAsync(4);
    var second = client.squareAsync(9);
    peer.read();
    peer.read();
    peer.send(Peer.frame("Square", TMessageType.REPLY, 77, Peer.result(3)));
    Background.failure(ProtocolError.class, first);
    Background.failure(ConnectionClosed.class, second);
    assertTrue(peer.isClosedByClient());
  }

  @Test
  void a_second_reply_to_a_call_closes_and_the_next_call_connects_anew() throws Exception {
    var first = Background.run(() -> client.square(9));
    Peer.Request request = peer.read();
    byte[] reply = Peer.frame("Square", TMessageType.REPLY, request.id(), Peer.result(3));
    peer.send(Peer.concat(reply, reply));
    assertEquals(3, Background.get(first));
    assertTrue(peer.isClosedByClient());
    var second = Background.run(() -> client.square(16));
    server.accept().answerRoot();
    assertEquals(4, Background.get(second));
  }
}
