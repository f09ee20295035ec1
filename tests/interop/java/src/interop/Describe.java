package interop;

import conformance.Choice;
import conformance.Chosen;
import conformance.Containers;
import conformance.Everything;
import conformance.Narrow;
import conformance.Optionals;
import conformance.Point;
import conformance.Scalars;
import conformance.Tree;
import conformance.uuid.Identified;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.Adler32;

/**
 * A value in words, the same in every language; examples/conformance/describe.rs has the grammar.
 */
final class Describe {
  private static final int MOST_IN_FULL = 32;

  private Describe() {}

  static String number(double value) {
    return Double.isNaN(value)
        ? "nan"
        : HexFormat.of().toHexDigits(Double.doubleToRawLongBits(value));
  }

  static String text(String value) {
    return bytes(value.getBytes(StandardCharsets.UTF_8));
  }

  static String bytes(ByteBuffer value) {
    byte[] bytes = new byte[value.remaining()];
    value.duplicate().get(bytes);
    return bytes(bytes);
  }

  static String bytes(byte[] value) {
    if (value.length > MOST_IN_FULL) {
      Adler32 sum = new Adler32();
      sum.update(value);
      return "\"" + value.length + "#" + HexFormat.of().toHexDigits((int) sum.getValue()) + "\"";
    }
    return "\"" + HexFormat.of().formatHex(value) + "\"";
  }

  static <T> String list(Collection<T> items, Function<T, String> of) {
    return items.stream().map(of).collect(Collectors.joining(",", "[", "]"));
  }

  static <T> String set(Set<T> items, Function<T, String> of) {
    return sorted(items.stream().map(of));
  }

  static <K, V> String map(Map<K, V> items, Function<K, String> key, Function<V, String> value) {
    return sorted(
        items.entrySet().stream().map(e -> key.apply(e.getKey()) + "=" + value.apply(e.getValue())));
  }

  private static String sorted(Stream<String> words) {
    return words.sorted().collect(Collectors.joining(",", "{", "}"));
  }

  static String point(Point value) {
    return "(1:" + value.getX() + ",2:" + value.getY() + ")";
  }

  static String scalars(Scalars value) {
    Fields fields = new Fields();
    fields.add(value.isSetFlag(), 1, () -> "" + value.isFlag());
    fields.add(value.isSetTiny(), 2, () -> "" + value.getTiny());
    fields.add(value.isSetSmall(), 3, () -> "" + value.getSmall());
    fields.add(value.isSetMedium(), 4, () -> "" + value.getMedium());
    fields.add(value.isSetLarge(), 5, () -> "" + value.getLarge());
    fields.add(value.isSetReal(), 6, () -> number(value.getReal()));
    fields.add(value.isSetText(), 7, () -> text(value.getText()));
    fields.add(value.isSetBlob(), 8, () -> bytes(value.getBlob()));
    fields.add(value.isSetColour(), 9, () -> "" + value.getColour().getValue());
    return fields.words();
  }

  static String optionals(Optionals value) {
    Fields fields = new Fields();
    fields.add(value.isSetFlag(), 1, () -> "" + value.isFlag());
    fields.add(value.isSetTiny(), 2, () -> "" + value.getTiny());
    fields.add(value.isSetSmall(), 3, () -> "" + value.getSmall());
    fields.add(value.isSetMedium(), 4, () -> "" + value.getMedium());
    fields.add(value.isSetLarge(), 5, () -> "" + value.getLarge());
    fields.add(value.isSetReal(), 6, () -> number(value.getReal()));
    fields.add(value.isSetText(), 7, () -> text(value.getText()));
    fields.add(value.isSetBlob(), 8, () -> bytes(value.getBlob()));
    fields.add(value.isSetColour(), 9, () -> "" + value.getColour().getValue());
    fields.add(value.isSetPoint(), 10, () -> point(value.getPoint()));
    fields.add(value.isSetNumbers(), 11, () -> list(value.getNumbers(), String::valueOf));
    return fields.words();
  }

  static String containers(Containers value) {
    Fields fields = new Fields();
    fields.add(value.isSetFlags(), 1, () -> list(value.getFlags(), String::valueOf));
    fields.add(value.isSetNumbers(), 2, () -> set(value.getNumbers(), String::valueOf));
    fields.add(value.isSetTable(), 3, () -> map(value.getTable(), Describe::text, String::valueOf));
    fields.add(value.isSetMatrix(), 4, () -> list(value.getMatrix(), Describe::integers));
    fields.add(
        value.isSetNested(),
        5,
        () ->
            map(
                value.getNested(),
                Describe::text,
                sets -> list(sets, numbers -> set(numbers, String::valueOf))));
    fields.add(
        value.isSetTables(),
        6,
        () -> list(value.getTables(), table -> map(table, String::valueOf, Describe::text)));
    fields.add(
        value.isSetMaps(),
        7,
        () ->
            map(
                value.getMaps(),
                String::valueOf,
                reals -> map(reals, Describe::text, Describe::number)));
    fields.add(value.isSetPoints(), 8, () -> list(value.getPoints(), Describe::point));
    fields.add(value.isSetBlobs(), 9, () -> list(value.getBlobs(), Describe::bytes));
    fields.add(
        value.isSetColours(),
        10,
        () -> map(value.getColours(), Describe::text, colour -> "" + colour.getValue()));
    fields.add(value.isSetWords(), 11, () -> set(value.getWords(), Describe::text));
    return fields.words();
  }

  static String integers(List<Integer> value) {
    return list(value, String::valueOf);
  }

  static String tree(Tree value) {
    Fields fields = new Fields();
    fields.add(value.isSetValue(), 1, () -> "" + value.getValue());
    fields.add(value.isSetChildren(), 2, () -> list(value.getChildren(), Describe::tree));
    return fields.words();
  }

  static String choice(Choice value) {
    String words =
        switch (value.getSetField()) {
          case FLAG -> "" + value.getFlag();
          case LARGE -> "" + value.getLarge();
          case TEXT -> text(value.getText());
          case NUMBERS -> integers(value.getNumbers());
          case POINT -> point(value.getPoint());
        };
    return "(" + value.getSetField().getThriftFieldId() + ":" + words + ")";
  }

  static String chosen(Chosen value) {
    return "(1:" + choice(value.getChoice()) + ")";
  }

  static String everything(Everything value) {
    Fields fields = new Fields();
    fields.add(value.isSetScalars(), 1, () -> scalars(value.getScalars()));
    fields.add(value.isSetContainers(), 2, () -> containers(value.getContainers()));
    fields.add(value.isSetTree(), 3, () -> tree(value.getTree()));
    fields.add(value.isSetChoices(), 4, () -> list(value.getChoices(), Describe::chosen));
    fields.add(value.isSetExtras(), 20, () -> optionals(value.getExtras()));
    fields.add(value.isSetFar(), 300, () -> text(value.getFar()));
    fields.add(value.isSetFarthest(), 1000, () -> "" + value.isFarthest());
    return fields.words();
  }

  static String narrow(Narrow value) {
    Fields fields = new Fields();
    fields.add(value.isSetFarthest(), 1000, () -> "" + value.isFarthest());
    return fields.words();
  }

  static String identified(Identified value) {
    Fields fields = new Fields();
    fields.add(value.isSetId(), 1, () -> "" + value.getId());
    fields.add(value.isSetOthers(), 2, () -> list(value.getOthers(), String::valueOf));
    fields.add(value.isSetNames(), 3, () -> map(value.getNames(), String::valueOf, Describe::text));
    fields.add(value.isSetPoint(), 4, () -> point(value.getPoint()));
    return fields.words();
  }

  /** A struct's fields: what is absent is left out. */
  private static final class Fields {
    private final List<String> present = new ArrayList<>();

    void add(boolean isSet, int id, java.util.function.Supplier<String> words) {
      if (isSet) {
        present.add(id + ":" + words.get());
      }
    }

    String words() {
      return "(" + String.join(",", present) + ")";
    }
  }
}
