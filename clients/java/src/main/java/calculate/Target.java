package calculate;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Where a server listens. */
sealed interface Target {
  /** The forms of a target, for messages. */
  String FORMS =
      "HOST:PORT, such as 127.0.0.1:9090, [IPv6]:PORT, unix:/path, HOST:PORT,HOST:PORT for several servers,"
          + " dns://NAME:PORT for all addresses of a name, or"
          + " zk://HOST:PORT[,HOST:PORT...]/BASE/SERVICE[?version=RANGE&group=GROUP&zone=ZONE] for ZooKeeper";

  /** What the text of a unix socket begins with. */
  String UNIX = "unix:";

  /** What the address of a unix socket has room for (sun_path, without the NUL at its end). */
  int MAX_PATH_BYTES = System.getProperty("os.name").equals("Linux") ? 107 : 103;

  /**
   * A TCP port.
   *
   * @param host a name, an IPv4 or an IPv6 address, without brackets
   * @param port 1 to 65535
   */
  record Tcp(String host, int port) implements Target {
    @Override
    public String toString() {
      return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
  }

  /**
   * A unix socket of this machine.
   *
   * @param path of its file, from the root
   */
  record Unix(String path) implements Target {
    @Override
    public String toString() {
      return UNIX + path;
    }
  }

  /**
   * Reads {@code HOST:PORT}, {@code [IPv6]:PORT} or {@code unix:/path}.
   *
   * @throws IllegalArgumentException if it is anything else, saying what is wrong
   */
  static Target parse(String text) {
    if (text.startsWith(UNIX)) {
      return new Unix(path(text, text.substring(UNIX.length())));
    }
    return tcp(text, text);
  }

  /**
   * Reads {@code HOST:PORT} or {@code [IPv6]:PORT}, a part of a text.
   *
   * @throws IllegalArgumentException if it is anything else, showing the text
   */
  static Tcp tcp(String text, String server) {
    int colon = server.lastIndexOf(':');
    if (colon < 0 || server.endsWith("]")) {
      throw refused(text, "has no port");
    }
    return new Tcp(host(text, server.substring(0, colon)), port(text, server.substring(colon + 1)));
  }

  private static String path(String text, String path) {
    if (!path.startsWith("/") || path.endsWith("/")) {
      throw refused(text, "has no path of a socket, which begins with / and ends with its name");
    }
    if (!isPath(path)) {
      throw refused(text, "has a path that cannot be one");
    }
    int bytes = path.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_PATH_BYTES) {
      throw refused(
          text, "has a path of " + bytes + " bytes, and a socket's has at most " + MAX_PATH_BYTES);
    }
    return path;
  }

  private static boolean isPath(String text) {
    try {
      return !text.matches("(?s).*\\p{Cntrl}.*") && Path.of(text).isAbsolute();
    } catch (InvalidPathException e) {
      return false;
    }
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
          bracketed
              ? "has brackets around what is no IPv6 address"
              : "has more than one colon; an IPv6 address needs brackets");
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

  /** The error that says what is wrong with a target, and shows all forms. */
  static IllegalArgumentException refused(String text, String what) {
    return new IllegalArgumentException(
        "the server address '" + OneLine.of(text) + "' " + OneLine.of(what) + ": give " + FORMS);
  }
}
