package calculate;

/**
 * Text that somebody else chose, made fit for one line of a log, an error's text or a terminal. The
 * same in every language: idl/vectors/one_line.tsv.
 */
final class OneLine {
  private static final int MAX_CHARACTERS = 500;

  private OneLine() {}

  /** The text with escapes for what cannot be seen, cut after 500 characters. */
  static String of(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.codePoints().limit(MAX_CHARACTERS).forEach(character -> append(character, line));
    return text.codePointCount(0, text.length()) > MAX_CHARACTERS
        ? line.append('…').toString()
        : line.toString();
  }

  private static void append(int character, StringBuilder line) {
    switch (character) {
      case '\n' -> line.append("\\n");
      case '\r' -> line.append("\\r");
      case '\t' -> line.append("\\t");
      default -> {
        if (canBeSeen(character)) {
          line.appendCodePoint(character);
        } else {
          line.append("\\u{").append(Integer.toHexString(character)).append('}');
        }
      }
    }
  }

  private static boolean canBeSeen(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
