package calculate;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a client is given to connect to: one server, or where to learn of many.
 *
 * <p>Specification: {@code idl/vectors/targets.tsv}.
 */
sealed interface ServiceTarget {
  /** What the text of a name with many addresses begins with. */
  String DNS = "dns://";

  /** What the text of a service in a registry begins with. */
  String ZOOKEEPER = "zk://";

  /** One server: no registry, no balancing. */
  record Direct(Target server) implements ServiceTarget {}

  /** Some servers. */
  record Several(List<Target.Tcp> servers) implements ServiceTarget {}

  /** All addresses of a name. */
  record Dns(Target.Tcp server) implements ServiceTarget {}

  /**
   * A service in ZooKeeper.
   *
   * @param servers the ensemble, as ZooKeeper's own connect string
   * @param path of the service's node
   * @param versions that are asked for
   * @param group that is asked for
   * @param zone that is called first; "" for none
   */
  record ZooKeeper(String servers, String path, VersionRange versions, String group, String zone)
      implements ServiceTarget {}

  /**
   * Reads a target.
   *
   * @throws IllegalArgumentException if it is none, saying what is wrong and showing all forms
   */
  static ServiceTarget parse(String text) {
    if (text.startsWith(Target.UNIX)) {
      return new Direct(Target.parse(text));
    }
    if (text.startsWith(DNS)) {
      return dns(text, text.substring(DNS.length()));
    }
    if (text.startsWith(ZOOKEEPER)) {
      return zooKeeper(text, text.substring(ZOOKEEPER.length()));
    }
    int scheme = text.indexOf("://");
    if (scheme >= 0) {
      throw Target.refused(text, "has a scheme that is not known: " + text.substring(0, scheme));
    }
    if (text.contains("," + Target.UNIX)) {
      throw Target.refused(text, "has a unix: socket in a list, which only HOST:PORT can be in");
    }
    return text.indexOf(',') < 0
        ? new Direct(Target.parse(text))
        : new Several(servers(text, text));
  }

  private static ServiceTarget dns(String text, String server) {
    if (server.indexOf(',') >= 0) {
      throw Target.refused(text, "has more than one name");
    }
    return new Dns(Target.tcp(text, server));
  }

  private static List<Target.Tcp> servers(String text, String list) {
    Set<Target.Tcp> servers = new LinkedHashSet<>();
    Arrays.stream(list.split(",", -1)).forEach(each -> servers.add(Target.tcp(text, each)));
    return List.copyOf(servers);
  }

  private static ServiceTarget zooKeeper(String text, String rest) {
    if (rest.indexOf('%') >= 0) {
      throw Target.refused(text, "has a % in it, and nothing is percent-decoded");
    }
    int question = rest.indexOf('?');
    String place = question < 0 ? rest : rest.substring(0, question);
    int slash = place.indexOf('/');
    String ensemble = slash < 0 ? place : place.substring(0, slash);
    int at = ensemble.lastIndexOf('@');
    if (at >= 0) {
      throw Target.refused(
          ZOOKEEPER + "..." + rest.substring(at),
          "has a password in it, which belongs into zk_auth");
    }
    List<String> servers = servers(text, ensemble).stream().map(Target.Tcp::toString).toList();
    String path = slash < 0 ? "" : place.substring(slash);
    checkPath(text, path);
    return query(
        text, String.join(",", servers), path, question < 0 ? null : rest.substring(question + 1));
  }

  private static void checkPath(String text, String path) {
    String[] segments = path.split("/", -1);
    boolean valid =
        segments.length > 2
            && Arrays.stream(segments).skip(1).noneMatch(s -> s.isEmpty() || s.startsWith("."))
            && path.codePoints().allMatch(ServiceTarget::isPrintable);
    if (!valid) {
      throw Target.refused(text, "has no path of a service, such as /services/calculate");
    }
  }

  private static ServiceTarget query(String text, String servers, String path, String query) {
    VersionRange versions = VersionRange.ANY;
    String group = Instance.DEFAULT_GROUP;
    String zone = "";
    Set<String> seen = new HashSet<>();
    for (String pair : query == null ? new String[0] : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      String key = equals < 0 ? pair : pair.substring(0, equals);
      String value = equals < 0 ? "" : pair.substring(equals + 1);
      if (!List.of("version", "group", "zone").contains(key) || !seen.add(key)) {
        throw Target.refused(
            text, "has after its ? '" + key + "', and version, group and zone may be there, once");
      }
      if (!isValue(value)) {
        throw Target.refused(text, "has a " + key + " that cannot be one");
      }
      switch (key) {
        case "version" -> versions = versions(text, value);
        case "group" -> group = value;
        default -> zone = value;
      }
    }
    return new ZooKeeper(servers, path, versions, group, zone);
  }

  private static VersionRange versions(String text, String value) {
    try {
      return VersionRange.parse(value);
    } catch (IllegalArgumentException e) {
      throw Target.refused(text, "has a version that " + e.getMessage());
    }
  }

  private static boolean isValue(String value) {
    return !value.isEmpty()
        && value.codePointCount(0, value.length()) <= 255
        && value.indexOf('=') < 0
        && value.codePoints().allMatch(ServiceTarget::isPrintable);
  }

  private static boolean isPrintable(int character) {
    int type = Character.getType(character);
    return character != '#'
        && !Character.isWhitespace(character)
        && !Character.isSpaceChar(character)
        && type != Character.CONTROL
        && type != Character.FORMAT
        && type != Character.SURROGATE
        && type != Character.UNASSIGNED
        && type != Character.PRIVATE_USE;
  }
}
