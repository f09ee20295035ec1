package calculate;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;

/** What a server's certificate has to be for: a DNS name or an IP address. */
final class ServerName {
  private ServerName() {}

  /**
   * The name given, if it can be one.
   *
   * @throws IllegalArgumentException if it cannot
   */
  static String checked(String name) {
    try {
      if (name.indexOf(':') >= 0) {
        // In brackets, an address is not looked up.
        InetAddress.getByName("[" + name + "]");
      } else {
        new SNIHostName(name);
      }
      return name;
    } catch (UnknownHostException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "tls: the server name '"
              + OneLine.of(name)
              + "' is neither a DNS name nor an IP address; write it without port and brackets",
          e);
    }
  }

  /**
   * The name that a target's host is.
   *
   * @throws IllegalArgumentException if it is none, or the target has no host
   */
  static String of(Target target) {
    if (!(target instanceof Target.Tcp tcp)) {
      throw new IllegalArgumentException(
          "tls: "
              + target
              + " has no host that the certificate could be for; give the server name");
    }
    // Without the zone of a link-local address (RFC 4007), and without the dot that ends an
    // absolute name.
    return checked(tcp.host().replaceFirst("%.*", "").replaceFirst("\\.$", ""));
  }

  /** Whether the name is an address: no domain ends in digits. */
  static boolean isAddress(String name) {
    return name.indexOf(':') >= 0 || name.matches("(.*\\.)?[0-9]+");
  }

  /** The name as the server is told it (RFC 6066, 3): not if it is an address. */
  static List<SNIServerName> indication(String name) {
    return isAddress(name) ? List.of() : List.of(new SNIHostName(name));
  }
}
