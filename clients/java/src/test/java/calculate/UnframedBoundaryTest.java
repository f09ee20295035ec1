package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import calculate.Vectors.Vector;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TField;
import org.apache.thrift.protocol.TList;
import org.apache.thrift.protocol.TMap;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TSet;
import org.apache.thrift.protocol.TStruct;
import org.apache.thrift.protocol.TType;
import org.apache.thrift.transport.TMemoryBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The end of an unframed reply is found, however its bytes come. */
class UnframedBoundaryTest {
  @ParameterizedTest
  @MethodSource("calculate.Vectors#all")
  void the_end_is_found_when_bytes_come_one_at_a_time(Vector vector) throws Exception {
    Decoder decoder = new Decoder(Decoder.unframed(vector.protocol()));
    byte[] twice = Peer.concat(vector.bytes(), vector.bytes());
    for (int to = 0; to < vector.bytes().length; to++) {
      assertEquals(Boundary.INCOMPLETE, decoder.end(twice, to));
    }
    assertEquals(vector.bytes().length, decoder.end(twice, vector.bytes().length + 1));
    assertEquals(vector.bytes().length, decoder.end(twice, twice.length), "and it starts anew");
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void every_type_is_walked_over(Protocol protocol) throws Exception {
    byte[] bytes = message(protocol, UnframedBoundaryTest::writeEveryType);
    Decoder decoder = new Decoder(Decoder.unframed(protocol));
    for (int to = 0; to < bytes.length; to++) {
      assertEquals(Boundary.INCOMPLETE, decoder.end(bytes, to));
    }
    assertEquals(bytes.length, decoder.end(bytes, bytes.length));
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void a_message_nested_too_deep_is_refused(Protocol protocol) throws Exception {
    byte[] bytes = message(protocol, out -> nest(out, 70));
    assertThrows(
        TException.class, () -> new Decoder(Decoder.unframed(protocol)).end(bytes, bytes.length));
    byte[] less = message(protocol, out -> nest(out, 60));
    assertEquals(less.length, new Decoder(Decoder.unframed(protocol)).end(less, less.length));
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void a_message_longer_than_allowed_is_refused_before_it_is_here(Protocol protocol)
      throws Exception {
    byte[] bytes = message(protocol, out -> writeString(out, "x".repeat(2000)));
    Decoder decoder = new Decoder(Decoder.unframed(protocol).withMaxMessageBytes(1000));
    assertThrows(TException.class, () -> decoder.end(bytes, 40));
  }

  @Test
  void negative_sizes_are_refused() {
    String binary = "8001000200000006537175617265" + "00000001" + "0b0001" + "ffffffff";
    byte[] bytes = HexFormat.of().parseHex(binary);
    assertThrows(
        TException.class,
        () -> new Decoder(Decoder.unframed(Protocol.BINARY)).end(bytes, bytes.length));
  }

  @Test
  void an_overlong_varint_is_refused() {
    byte[] bytes = new byte[20];
    Arrays.fill(bytes, (byte) 0xff);
    bytes[0] = (byte) 0x82;
    bytes[1] = 0x41;
    assertThrows(
        TException.class,
        () -> new Decoder(Decoder.unframed(Protocol.COMPACT)).end(bytes, bytes.length));
  }

  private interface Body {
    void write(TProtocol out) throws TException;
  }

  private static byte[] message(Protocol protocol, Body body) throws TException {
    TMemoryBuffer buffer = new TMemoryBuffer(64);
    TProtocol out = protocol.on(buffer);
    out.writeMessageBegin(new TMessage("Square", (byte) 2, 300));
    out.writeStructBegin(new TStruct());
    body.write(out);
    out.writeFieldStop();
    out.writeStructEnd();
    return Arrays.copyOf(buffer.getArray(), buffer.length());
  }

  private static void field(TProtocol out, byte type, int id) throws TException {
    out.writeFieldBegin(new TField("", type, (short) id));
  }

  private static void writeString(TProtocol out, String text) throws TException {
    field(out, TType.STRING, 7);
    out.writeString(text);
  }

  private static void nest(TProtocol out, int depth) throws TException {
    field(out, TType.STRUCT, 1);
    out.writeStructBegin(new TStruct());
    if (depth > 0) {
      nest(out, depth - 1);
    }
    out.writeFieldStop();
    out.writeStructEnd();
  }

  private static void writeEveryType(TProtocol out) throws TException {
    field(out, TType.BOOL, 1);
    out.writeBool(true);
    field(out, TType.BYTE, 2);
    out.writeByte((byte) 3);
    field(out, TType.I16, 30);
    out.writeI16((short) -300);
    field(out, TType.I32, 31);
    out.writeI32(Integer.MIN_VALUE);
    field(out, TType.I64, 5);
    out.writeI64(Long.MIN_VALUE);
    field(out, TType.DOUBLE, 6);
    out.writeDouble(0.5);
    writeString(out, "текст");
    field(out, TType.UUID, 8);
    out.writeUuid(new java.util.UUID(1, 2));
    writeContainers(out);
    nest(out, 3);
  }

  private static void writeContainers(TProtocol out) throws TException {
    field(out, TType.LIST, 9);
    out.writeListBegin(new TList(TType.BOOL, 20));
    for (int i = 0; i < 20; i++) {
      out.writeBool(i % 2 == 0);
    }
    field(out, TType.SET, 10);
    out.writeSetBegin(new TSet(TType.I32, 2));
    out.writeI32(1);
    out.writeI32(1 << 20);
    field(out, TType.MAP, 11);
    out.writeMapBegin(new TMap(TType.STRING, TType.LIST, 2));
    for (String key : new String[] {"a", "bc"}) {
      out.writeString(key);
      out.writeListBegin(new TList(TType.DOUBLE, 1));
      out.writeDouble(1);
    }
    field(out, TType.MAP, 12);
    out.writeMapBegin(new TMap(TType.I32, TType.I32, 0));
    field(out, TType.LIST, 13);
    out.writeListBegin(new TList(TType.STRUCT, 0));
  }
}
