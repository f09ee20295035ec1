package interop;

import conformance.Choice;
import conformance.Colour;
import conformance.Conflict;
import conformance.Defaults;
import conformance.Everything;
import conformance.NotFound;
import conformance.Nothing;
import conformance.Outcome;
import conformance.Point;
import conformance.uuid.ConformanceUuid;
import conformance.uuid.Identified;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.thrift.TBase;
import org.apache.thrift.TDeserializer;
import org.apache.thrift.protocol.TBinaryProtocol;

/** What the rows of idl/vectors/conformance.tsv ask for. */
final class Cases {
  private static final int UNKNOWN_METHOD = 1;

  private final Caller caller;

  Cases(Caller caller) {
    this.caller = caller;
  }

  void run(String kind, String name, String value, String text) throws Exception {
    ConformanceUuid.Iface service = caller.service();
    switch (kind) {
      case "bool" -> expect("echo", "" + service.EchoBool(Boolean.parseBoolean(value)), value);
      case "i8" -> expect("echo", "" + service.EchoI8(Byte.parseByte(value)), value);
      case "i16" -> expect("echo", "" + service.EchoI16(Short.parseShort(value)), value);
      case "i32" -> expect("echo", "" + service.EchoI32(Integer.parseInt(value)), value);
      case "i64" -> expect("echo", "" + service.EchoI64(Long.parseLong(value)), value);
      case "double" -> number(Double.longBitsToDouble(Long.parseUnsignedLong(value, 16)));
      case "string" -> string(new String(hex(value), StandardCharsets.UTF_8), text);
      case "binary" -> binary(Integer.parseInt(value), text);
      case "choice" -> choice(decode(new Choice(), value), text);
      case "everything" -> everything(name, decode(new Everything(), value), text);
      case "arguments" -> expect("describe", arguments(), text);
      case "defaults" -> expect("describe", service.DescribeDefaults(new Defaults()), text);
      case "newer" -> expect("describe", caller.newer(service.Compose("full")), text);
      case "older" -> expect("compose", Describe.narrow(caller.older("full")), text);
      case "risk" -> risk(outcome(name), text);
      case "risk_void" -> riskVoid(outcome(name), text);
      case "call" -> call(name);
      case "struct_keys" -> structKeys(text);
      case "lists_in_set" -> listsInSet(name, text);
      case "uuid" -> expect("echo", "" + service.EchoUuid(UUID.fromString(value)), value);
      case "identified" -> identified(decode(new Identified(), value), text);
      default -> throw new AssertionError("an unknown kind of case");
    }
  }

  private void number(double value) throws Exception {
    expect("echo", Describe.number(caller.service().EchoDouble(value)), Describe.number(value));
  }

  private void string(String value, String text) throws Exception {
    expect("describe", caller.service().DescribeText(value), text);
    expect("echo", caller.service().EchoString(value), value);
  }

  private void binary(int length, String text) throws Exception {
    ByteBuffer value = ByteBuffer.allocate(length);
    for (int i = 0; i < length; i++) {
      value.put((byte) (31 * i + length));
    }
    value.flip();
    expect("describe", caller.service().DescribeBinary(value.duplicate()), text);
    if (!caller.service().EchoBinary(value.duplicate()).equals(value)) {
      throw new AssertionError("echo: other bytes");
    }
  }

  private void choice(Choice value, String text) throws Exception {
    expect("own decoding", Describe.choice(value), text);
    expect("echo", Describe.choice(caller.service().EchoChoice(value)), text);
  }

  private void everything(String name, Everything value, String text) throws Exception {
    expect("own decoding", Describe.everything(value), text);
    expect("describe", caller.service().DescribeEverything(value), text);
    expect("echo", Describe.everything(caller.service().EchoEverything(value)), text);
    expect("compose", Describe.everything(caller.service().Compose(name)), text);
  }

  private String arguments() throws Exception {
    return caller
        .service()
        .DescribeScalars(true, (byte) -5, (short) -300, 70_000, -(1L << 40), 1.5, Colour.VIOLET);
  }

  private static Outcome outcome(String name) {
    return Outcome.valueOf(name.toUpperCase(Locale.ROOT));
  }

  private void risk(Outcome outcome, String text) throws Exception {
    String came;
    try {
      came = caller.service().Risk(outcome);
    } catch (Exception e) {
      came = words(e);
    }
    expect("outcome", came, text);
    caller.service().Ping();
  }

  private void riskVoid(Outcome outcome, String text) throws Exception {
    String came = "-";
    try {
      caller.service().RiskVoid(outcome);
    } catch (Exception e) {
      came = words(e);
    }
    expect("outcome", came, text);
    caller.service().Ping();
  }

  private String words(Exception error) throws Exception {
    if (error instanceof NotFound lost) {
      return "NotFound \"" + lost.getName() + "\"";
    }
    if (error instanceof Conflict conflict) {
      String where = Describe.point(conflict.getWhere());
      return "Conflict " + conflict.getCode() + " with " + conflict.getReason() + " at " + where;
    }
    return error instanceof Nothing ? "Nothing" : "TApplicationException " + caller.code(error);
  }

  private void call(String name) throws Exception {
    switch (name) {
      case "ping" -> caller.service().Ping();
      case "oneway" -> oneway();
      case "unknown_method" -> unknownMethod();
      case "sequence_ids" -> caller.sequenceIds();
      default -> throw new AssertionError("an unknown case");
    }
  }

  private void oneway() throws Exception {
    String owner = UUID.randomUUID().toString();
    for (int count = 1; count <= 3; count++) {
      caller.service().Note(owner + ": note " + count + " · нота");
      expect("notes", caller.service().Notes(owner), count + " note " + count + " · нота");
    }
  }

  private void unknownMethod() throws Exception {
    for (int i = 0; i < 3; i++) {
      expect("code", "" + caller.missing(), "" + UNKNOWN_METHOD);
      caller.service().Ping();
    }
  }

  private void structKeys(String text) throws Exception {
    Map<Point, String> value =
        Map.of(new Point(1, 2), "one", new Point(-1, Integer.MAX_VALUE), "two");
    expect("describe", caller.service().DescribeStructKeys(value), text);
    Map<Point, String> echo = caller.service().EchoStructKeys(value);
    expect("echo", Describe.map(echo, Describe::point, Describe::text), text);
  }

  private void listsInSet(String name, String text) throws Exception {
    Set<List<Integer>> value = Set.of(List.of(), List.of(1, 2), List.of(-3));
    switch (name) {
      case "describe" -> expect("describe", caller.service().DescribeListsInSet(value), text);
      default -> {
        Set<List<Integer>> echo = caller.service().EchoListsInSet(value);
        expect("echo", Describe.set(echo, Describe::integers), text);
      }
    }
  }

  private void identified(Identified value, String text) throws Exception {
    expect("own decoding", Describe.identified(value), text);
    expect("describe", caller.service().DescribeIdentified(value), text);
    expect("echo", Describe.identified(caller.service().EchoIdentified(value)), text);
  }

  private static <T extends TBase<?, ?>> T decode(T value, String digits) throws Exception {
    new TDeserializer(new TBinaryProtocol.Factory()).deserialize(value, hex(digits));
    return value;
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  static void expect(String what, String got, String wanted) {
    if (!wanted.equals(got)) {
      throw new AssertionError(what + ": " + got + ", not " + wanted);
    }
  }
}
