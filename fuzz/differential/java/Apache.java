import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TField;
import org.apache.thrift.protocol.TList;
import org.apache.thrift.protocol.TMap;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TSet;
import org.apache.thrift.protocol.TType;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TTransport;
import wire.Everything;

/** Apache's Java library (libthrift), unmodified, reads cases as examples/differential does, and answers alike. */
public final class Apache {
  public static void main(String[] arguments) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
    while (true) {
      byte[] bytes;
      try {
        bytes = new byte[in.readInt()];
      } catch (EOFException end) {
        return;
      }
      in.readFully(bytes);
      byte[] said = answer((char) bytes[0], bytes).getBytes(StandardCharsets.UTF_8);
      out.writeInt(said.length);
      out.write(said);
      out.flush();
    }
  }

  private static String answer(char letter, byte[] bytes) {
    try {
      TTransport transport = new TMemoryInputTransport(bytes, 1, bytes.length - 1);
      boolean compact = letter == 'c' || letter == 'C';
      TProtocol protocol = compact ? new TCompactProtocol(transport) : new TBinaryProtocol(transport);
      return "ok " + (Character.isUpperCase(letter) ? everything(protocol) : message(protocol));
    } catch (TException | RuntimeException | OutOfMemoryError | StackOverflowError error) {
      return "no " + error.getClass().getSimpleName() + ": " + error.getMessage();
    }
  }

  private static String message(TProtocol protocol) throws TException {
    TMessage header = protocol.readMessageBegin();
    String name = hex(header.name.getBytes(StandardCharsets.UTF_8));
    String body = struct(protocol, false);
    protocol.readMessageEnd();
    return name + " " + header.type + " " + header.seqid + " " + body;
  }

  private static String everything(TProtocol protocol) throws TException {
    Everything value = new Everything();
    value.read(protocol);
    TMemoryBuffer written = new TMemoryBuffer(256);
    value.write(new TBinaryProtocol(written));
    TTransport transport = new TMemoryInputTransport(written.getArray(), 0, written.length());
    return struct(new TBinaryProtocol(transport), true);
  }

  /** See examples/differential/describe.rs for the words. */
  private static String struct(TProtocol protocol, boolean sorted) throws TException {
    protocol.readStructBegin();
    List<String> fields = new ArrayList<>();
    while (true) {
      TField field = protocol.readFieldBegin();
      if (field.type == TType.STOP) {
        break;
      }
      fields.add(field.id + ":" + value(protocol, field.type, sorted));
      protocol.readFieldEnd();
    }
    protocol.readStructEnd();
    return "{" + String.join(",", fields) + "}";
  }

  private static String value(TProtocol protocol, byte type, boolean sorted) throws TException {
    switch (type) {
      case TType.BOOL:
        return protocol.readBool() ? "b1" : "b0";
      case TType.BYTE:
        return "y" + protocol.readByte();
      case TType.I16:
        return "h" + protocol.readI16();
      case TType.I32:
        return "i" + protocol.readI32();
      case TType.I64:
        return "l" + protocol.readI64();
      case TType.DOUBLE:
        return String.format("d%016x", Double.doubleToRawLongBits(protocol.readDouble()));
      case TType.STRING:
        ByteBuffer text = protocol.readBinary();
        byte[] bytes = new byte[text.remaining()];
        text.get(bytes);
        return "s" + hex(bytes);
      case TType.UUID:
        UUID uuid = protocol.readUuid();
        return String.format("u%016x%016x", uuid.getMostSignificantBits(), uuid.getLeastSignificantBits());
      case TType.STRUCT:
        return struct(protocol, sorted);
      case TType.LIST:
        TList list = protocol.readListBegin();
        List<String> items = elements(protocol, list.elemType, list.size, sorted);
        protocol.readListEnd();
        return "L" + typeOf(list.elemType, list.size) + "[" + String.join(",", items) + "]";
      case TType.SET:
        TSet set = protocol.readSetBegin();
        List<String> members = elements(protocol, set.elemType, set.size, sorted);
        protocol.readSetEnd();
        sort(members, sorted);
        return "S" + typeOf(set.elemType, set.size) + "[" + String.join(",", members) + "]";
      case TType.MAP:
        TMap map = protocol.readMapBegin();
        List<String> pairs = new ArrayList<>();
        for (int i = 0; i < map.size; i++) {
          pairs.add(value(protocol, map.keyType, sorted) + "=" + value(protocol, map.valueType, sorted));
        }
        protocol.readMapEnd();
        sort(pairs, sorted);
        return "M" + typeOf(map.keyType, map.size) + typeOf(map.valueType, map.size) + "[" + String.join(",", pairs) + "]";
      default:
        throw new IllegalArgumentException("a value of no type, " + type);
    }
  }

  private static List<String> elements(TProtocol protocol, byte type, int size, boolean sorted) throws TException {
    List<String> elements = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      elements.add(value(protocol, type, sorted));
    }
    return elements;
  }

  private static void sort(List<String> elements, boolean sorted) {
    if (sorted) {
      Collections.sort(elements);
    }
  }

  private static String typeOf(byte type, int size) {
    return size == 0 ? "" : "<" + LETTERS.charAt(type) + ">";
  }

  /** By the numbers of the types. */
  private static final String LETTERS = "??byd?h?i?ls{MSLu";

  private static String hex(byte[] bytes) {
    StringBuilder hex = new StringBuilder();
    for (byte each : bytes) {
      hex.append(String.format("%02x", each));
    }
    return hex.toString();
  }
}
