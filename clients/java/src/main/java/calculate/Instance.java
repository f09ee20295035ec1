package calculate;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * A server that may be called, as a list or a registry describes it.
 *
 * @param id its name in the list: unique, the same over its restarts
 * @param address a name or an IP address, without brackets
 * @param port for plain clients; 0 for none
 * @param sslPort for TLS clients; 0 for none: they use {@code port} then
 * @param versions of the service that it hosts; empty if it does not say, and then it fits all
 * @param group only clients of the same group call it
 * @param weight its share of the calls, against the others'; 0: no calls
 * @param zone where it is; clients of the same zone call it first
 * @param enabled whether the operator lets it be called
 * @param registeredMillis when it was registered, since 1970; 0 if it is not known
 */
record Instance(
    String id,
    String address,
    int port,
    int sslPort,
    List<Integer> versions,
    String group,
    int weight,
    String zone,
    boolean enabled,
    long registeredMillis) {
  static final String DEFAULT_GROUP = "default";
  static final int DEFAULT_WEIGHT = 100;
  static final int MAX_WEIGHT = 10_000;

  /** The order of ids: that of their bytes in UTF-8. */
  static final Comparator<String> ID_ORDER =
      (one, other) -> Arrays.compareUnsigned(bytes(one), bytes(other));

  Instance {
    versions = List.copyOf(versions);
  }

  /** An instance of which only the address is known. */
  static Instance at(Target.Tcp server) {
    return new Instance(
        server.toString(),
        server.host(),
        server.port(),
        0,
        List.of(),
        DEFAULT_GROUP,
        DEFAULT_WEIGHT,
        "",
        true,
        0);
  }

  /** Whether it is at the same place as another. */
  boolean isWhere(Instance other) {
    return address.equals(other.address) && port == other.port && sslPort == other.sslPort;
  }

  /** Whether a client that uses TLS, or does not, finds the port that it needs. */
  boolean hasPort(boolean tls) {
    return portFor(tls) > 0;
  }

  /**
   * The version by whose name it is called: the highest that is asked for, where it hosts several.
   *
   * <p>Specification: {@code idl/vectors/versions.tsv}.
   *
   * @return 0 for the plain name, which is its lowest's
   */
  int calledVersion(VersionRange asked) {
    if (versions.isEmpty() || asked.equals(VersionRange.ANY)) {
      return 0;
    }
    int highest =
        versions.stream().filter(asked::includes).max(Comparator.naturalOrder()).orElse(0);
    return highest == Collections.min(versions) ? 0 : highest;
  }

  Target.Tcp target(boolean tls) {
    return new Target.Tcp(address, portFor(tls));
  }

  private int portFor(boolean tls) {
    return tls && sslPort > 0 ? sslPort : port;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
