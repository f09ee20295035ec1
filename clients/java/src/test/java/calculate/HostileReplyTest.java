package calculate;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.Vectors.Vector;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TMessageType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bytes from a peer end in a value, a CalculateError, or (within the client) a TException, which
 * becomes a ProtocolError. Nothing else is thrown, nothing hangs, and nothing is allocated for a
 * size that is only claimed.
 */
class HostileReplyTest {
  @ParameterizedTest
  @MethodSource("calculate.Vectors#replies")
  void no_prefix_of_a_reply_is_taken_for_one(Vector vector) throws Exception {
    for (int length = 0; length < vector.bytes().length; length++) {
      byte[] prefix = Arrays.copyOf(vector.bytes(), length);
      assertNull(new Decoder(Decoder.unframed(vector.protocol())).decode(vector.method(), prefix));
      byte[] framed = framed(prefix);
      Decoder decoder = new Decoder(Options.defaults().withProtocol(vector.protocol()));
      assertThrows(TException.class, () -> decoder.decode(vector.method(), framed));
    }
  }

  @ParameterizedTest
  @MethodSource("calculate.Vectors#replies")
  void every_flipped_bit_ends_well(Vector vector) {
    for (int bit = 0; bit < vector.bytes().length * 8; bit++) {
      byte[] flipped = vector.bytes().clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertEndsWell(vector, Decoder.unframed(vector.protocol()), flipped);
      assertEndsWell(vector, Options.defaults().withProtocol(vector.protocol()), framed(flipped));
    }
  }

  @Test
  void bytes_after_the_end_of_a_framed_reply_are_refused() throws Exception {
    byte[] reply = Peer.message("Square", TMessageType.REPLY, 1, Peer.result(3));
    byte[] longer = framed(Peer.concat(reply, new byte[1]));
    assertThrows(TException.class, () -> new Decoder(Options.defaults()).decode("Square", longer));
  }

  @ParameterizedTest
  @ValueSource(strings = {"7fffffff", "ffffffff", "80000000", "00100000"})
  void a_claimed_size_allocates_nothing(String size) {
    String header = "800100020000000653717561726500000001";
    // A string where the result is due, a list of structs, a map, and a string within the
    // DomainError.
    for (String body : new String[] {"0b0000", "0f00000c", "0d00000a0b", "0c00010b0001"}) {
      byte[] reply = framed(HexFormat.of().parseHex(header + body + size + "00".repeat(30)));
      long before = allocated();
      assertThrows(TException.class, () -> new Decoder(Options.defaults()).decode("Square", reply));
      assertTrue(allocated() - before < 1 << 20, "allocated for what was only claimed");
    }
  }

  @Test
  void a_deep_reply_is_refused() {
    String header = "800100020000000653717561726500000001";
    byte[] reply =
        framed(HexFormat.of().parseHex(header + "0c0005".repeat(5000) + "00".repeat(5001)));
    assertThrows(TException.class, () -> new Decoder(Options.defaults()).decode("Square", reply));
  }

  @ParameterizedTest
  @ValueSource(bytes = {TMessageType.CALL, TMessageType.ONEWAY, 7})
  void a_message_that_is_no_reply_is_refused(byte type) throws Exception {
    byte[] bytes = Peer.frame("Square", type, 1, Peer.result(3));
    assertThrows(TException.class, () -> new Decoder(Options.defaults()).decode("Square", bytes));
  }

  @Test
  void a_reply_with_neither_value_nor_error_is_refused() throws Exception {
    byte[] bytes =
        Peer.frame("Square", TMessageType.REPLY, 1, new calculate.idl.Calculate.Square_result());
    assertThrows(TException.class, () -> new Decoder(Options.defaults()).decode("Square", bytes));
  }

  private static void assertEndsWell(Vector vector, Options options, byte[] bytes) {
    try {
      Object outcome = new Decoder(options).decode(vector.method(), bytes);
      assertTrue(outcome == null || outcome instanceof Double || outcome instanceof CalculateError);
    } catch (TException e) {
      // Becomes a ProtocolError.
    }
  }

  private static byte[] framed(byte[] message) {
    byte[] frame = new byte[message.length + 4];
    BigEndian.putI32(frame, 0, message.length);
    System.arraycopy(message, 0, frame, 4, message.length);
    return frame;
  }

  private static long allocated() {
    var threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    return threads.getThreadAllocatedBytes(Thread.currentThread().getId());
  }
}
