package calculate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Stream;

/** The golden messages of idl/vectors/messages.tsv. */
final class Vectors {
  private static final Path FILE = Path.of("..", "..", "idl", "vectors", "messages.tsv");

  private Vectors() {}

  /** One golden message; what does not apply is null. */
  record Vector(
      String name,
      Protocol protocol,
      String type,
      String method,
      int id,
      Double value,
      String text,
      Integer code,
      byte[] bytes) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Vector> all() throws IOException {
    return Files.readAllLines(FILE).stream()
        .filter(line -> !line.startsWith("#"))
        .map(Vectors::vector);
  }

  static Stream<Vector> calls() throws IOException {
    return all().filter(vector -> vector.type().equals("CALL"));
  }

  static Stream<Vector> replies() throws IOException {
    return all().filter(vector -> !vector.type().equals("CALL"));
  }

  private static Vector vector(String line) {
    String[] cell = line.split("\t", -1);
    return new Vector(
        cell[0],
        Protocol.valueOf(cell[1].toUpperCase(Locale.ROOT)),
        cell[2],
        cell[3],
        Integer.parseInt(cell[4]),
        cell[5].equals("-") ? null : Double.longBitsToDouble(Long.parseUnsignedLong(cell[5], 16)),
        cell[6].equals("-") ? null : unescape(cell[6]),
        cell[7].equals("-") ? null : Integer.valueOf(cell[7]),
        HexFormat.of().parseHex(cell[8]));
  }

  /** Undoes Python's "unicode_escape". */
  private static String unescape(String text) {
    return java.util.regex.Pattern.compile("\\\\x(..)|\\\\u(.{4})|\\\\U(.{8})")
        .matcher(text)
        .replaceAll(
            match -> {
              String digits = match.group(0).substring(2);
              return java.util.regex.Matcher.quoteReplacement(
                  Character.toString(Integer.parseInt(digits, 16)));
            });
  }
}
