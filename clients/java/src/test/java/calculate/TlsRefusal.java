package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a client is told that cannot connect with TLS. */
final class TlsRefusal {
  private TlsRefusal() {}

  static void callOnce(String address, Tls tls) {
    try (CalculateClient client = CalculateClient.connect(address, Certificates.with(tls))) {
      client.square(9);
    }
  }

  /** What a client is told that cannot connect. */
  static String of(String address, Tls tls) {
    ConnectError error = assertThrows(ConnectError.class, () -> callOnce(address, tls));
    String text = error.getMessage();
    assertEquals(1, text.lines().count(), text);
    assertTrue(text.startsWith("cannot connect to " + address + " with TLS: "), text);
    return text;
  }
}
