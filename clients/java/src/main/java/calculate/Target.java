package calculate;

/**
 * Where a server listens.
 *
 * @param host a name, an IPv4 or an IPv6 address, without brackets
 * @param port 1 to 65535
 */
record Target(String host, int port) {
  private static final String FORM = "give HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:9090";

  /**
   * Reads {@code HOST:PORT} or {@code [IPv6]:PORT}.
   *
   * @throws IllegalArgumentException if it is anything else, saying what is wrong
   */
  static Target parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      throw refused(text, "has no port");
    }
    return new Target(host(text, text.substring(0, colon)), port(text, text.substring(colon + 1)));
  }

  private static String host(String text, String host) {
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    String bare = bracketed ? host.substring(1, host.length() - 1) : host;
    if (bare.isEmpty()) {
      throw refused(text, "has no host");
    }
    if (bare.indexOf(':') >= 0 != bracketed) {
      throw refused(
          text,
          bracketed ? "has brackets around what is no IPv6 address" : "has more than one colon");
    }
    if (!bare.matches(bracketed ? "[0-9A-Fa-f:.]+(%[^\\s/]+)?" : "[^\\s/\\[\\]@]+")) {
      throw refused(text, "has a host that cannot be one");
    }
    return bare;
  }

  private static int port(String text, String digits) {
    if (!digits.matches("[0-9]{1,5}")) {
      throw refused(text, "has no number for a port");
    }
    int port = Integer.parseInt(digits);
    if (port < 1 || port > 65535) {
      throw refused(text, "has a port outside 1 to 65535");
    }
    return port;
  }

  private static IllegalArgumentException refused(String text, String what) {
    return new IllegalArgumentException(
        "the server address '" + OneLine.of(text) + "' " + what + ": " + FORM);
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
