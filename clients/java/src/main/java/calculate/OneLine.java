package calculate;

/** Makes a line of a text that someone else wrote. */
final class OneLine {
  private static final int MAX_CHARS = 500;

  private OneLine() {}

  /**
   * The text with a space for each run of control characters, line ends among them, and cut where
   * it is too long.
   */
  static String of(String text) {
    String head = text.length() > MAX_CHARS ? text.substring(0, MAX_CHARS) + "…" : text;
    return head.replaceAll("[\\p{Cntrl}\\u2028\\u2029\\u0085]+", " ").strip();
  }
}
