package calculate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import calculate.Vectors.Vector;
import calculate.idl.Calculate;
import calculate.idl.Number;
import org.apache.thrift.TSerializable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What this client writes and reads is what Apache's own library writes. */
class GoldenMessagesTest {
  @ParameterizedTest
  @MethodSource("calculate.Vectors#calls")
  void a_call_is_encoded_as_apache_encodes_it(Vector vector) throws Exception {
    Number number = new Number(vector.value());
    TSerializable args =
        vector.method().equals("Cal")
            ? new Calculate.Cal_args(number)
            : new Calculate.Square_args(number);
    byte[] encoded =
        new Decoder(Decoder.unframed(vector.protocol())).encode(vector.method(), vector.id(), args);
    assertArrayEquals(vector.bytes(), encoded);
  }

  @ParameterizedTest
  @MethodSource("calculate.Vectors#calls")
  void a_framed_call_is_the_message_after_its_length(Vector vector) throws Exception {
    Options options = Options.defaults().withProtocol(vector.protocol());
    TSerializable args =
        vector.method().equals("Cal")
            ? new Calculate.Cal_args(new Number(vector.value()))
            : new Calculate.Square_args(new Number(vector.value()));
    byte[] encoded = new Decoder(options).encode(vector.method(), vector.id(), args);
    assertEquals(vector.bytes().length, BigEndian.i32(encoded, 0));
    assertArrayEquals(vector.bytes(), java.util.Arrays.copyOfRange(encoded, 4, encoded.length));
  }

  @ParameterizedTest
  @MethodSource("calculate.Vectors#replies")
  void a_reply_is_decoded_as_apache_encoded_it(Vector vector) throws Exception {
    Decoder decoder = new Decoder(Decoder.unframed(vector.protocol()));
    assertEquals(vector.id(), decoder.id(vector.bytes()));
    Object outcome = decoder.decode(vector.method(), vector.bytes());
    switch (vector.type()) {
      case "REPLY" -> assertEquals(vector.value(), outcome);
      case "DECLARED" -> {
        DomainError error = assertInstanceOf(DomainError.class, outcome);
        assertEquals(vector.text(), error.text());
        assertEquals(vector.value(), error.value());
      }
      default -> assertRefusal(vector, outcome);
    }
  }

  private static void assertRefusal(Vector vector, Object outcome) {
    if (vector.code() == Errors.LOADSHEDDING) {
      assertInstanceOf(Overloaded.class, outcome);
      return;
    }
    ApplicationError error = assertInstanceOf(ApplicationError.class, outcome);
    assertEquals(vector.code(), error.code());
    assertEquals(vector.text(), error.text());
  }
}
