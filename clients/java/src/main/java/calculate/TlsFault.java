package calculate;

import java.io.IOException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.List;
import java.util.Set;

/**
 * TLS with the server failed. The message goes on a sentence that names the server, and says what
 * to do.
 */
final class TlsFault extends IOException {
  private static final long serialVersionUID = 1L;

  /** What to do about a port that does not speak TLS. */
  static final String PLAIN = "for a plain Thrift port, connect without TLS";

  /** What to do about a certificate that is another host's. */
  static final String NAME = "correct the address, or give the server name";

  private static final String ALERT = "Received fatal alert: ";

  /** Alerts (RFC 8446, 6.2) by which a server refuses a certificate, as the JDK names them. */
  private static final Set<String> CERTIFICATE_ALERTS =
      Set.of(
          "bad certificate",
          "no certificate",
          "unsupported certificate",
          "certificate revoked",
          "certificate expired",
          "certificate unknown",
          "unknown ca",
          "access denied",
          "decrypt error",
          "certificate required");

  private static final Set<String> NOTHING_IN_COMMON =
      Set.of("handshake failure", "protocol version", "insufficient security");

  private final boolean refusal;

  private TlsFault(String message, boolean refusal, Throwable cause) {
    super(message, cause);
    this.refusal = refusal;
  }

  /** Whether TLS was never agreed on, so that no call was carried out. */
  boolean isRefusal() {
    return refusal;
  }

  /** The server's first byte starts no record. */
  static TlsFault notTls() {
    return refusal("it does not speak TLS; " + PLAIN, null);
  }

  /**
   * The connection ended in the handshake.
   *
   * @param begun whether the server had sent anything
   */
  static TlsFault hungUp(boolean begun) {
    return refusal(
        begun
            ? "it closed the connection during the TLS handshake"
            : "it closed the connection as TLS began, so it may not speak TLS; " + PLAIN,
        null);
  }

  /** Data came before any call. */
  static TlsFault spokeFirst() {
    return refusal("it sent data before it was asked for any; is it a Thrift server?", null);
  }

  /** The connection ended, but not the TLS on it (RFC 8446, 6.1). */
  static TlsFault cut() {
    return new TlsFault("cut off without a TLS close_notify", false, null);
  }

  /**
   * The server's certificate is not accepted.
   *
   * @param why what the check of it threw
   * @param names that the certificate is for, if known
   * @param name that it was to be for
   */
  static TlsFault certificate(Throwable why, List<String> names, String name) {
    return refusal("its certificate " + certificateFault(why, names, name), why);
  }

  private static String certificateFault(Throwable why, List<String> names, String name) {
    if (find(CertificateExpiredException.class, why) != null) {
      return "has expired; the server needs a new one (or is this machine's clock wrong?)";
    }
    if (find(CertificateNotYetValidException.class, why) != null) {
      return "is not valid yet; is this machine's clock right?";
    }
    if (find(CertPathBuilderException.class, why) != null) {
      return "is signed by an authority that is not trusted; if it should be, give the authority's file (ca)";
    }
    String text = String.valueOf(why.getMessage());
    if (text.startsWith("No subject alternative") || text.startsWith("No name matching")) {
      return "is for "
          + (names.isEmpty() ? "another name" : OneLine.of(String.join(", ", names)))
          + ", not for "
          + name
          + "; "
          + NAME;
    }
    return "is not accepted (" + OneLine.of(text) + ")";
  }

  /**
   * The handshake failed.
   *
   * @param error what the engine threw
   * @param name of the server
   * @param greeted whether the server had chosen version and cipher
   * @param mayShow whether a client certificate may have been shown
   */
  static TlsFault handshake(Exception error, String name, boolean greeted, boolean mayShow) {
    TlsFault told = find(TlsFault.class, error);
    if (told != null) {
      return told;
    }
    CertificateException certificate = find(CertificateException.class, error);
    if (certificate != null) {
      return certificate(certificate, List.of(), name);
    }
    String reason = reason(error);
    if (!greeted && NOTHING_IN_COMMON.contains(reason)
        || reason.contains("is not accepted by client preferences")) {
      return refusal(
          "no TLS version or cipher in common (" + reason + "); this client speaks TLS 1.2 and 1.3",
          error);
    }
    if (reason.equals("unrecognized name")) {
      return refusal("it has no certificate for " + name + "; " + NAME, error);
    }
    // How TLS 1.2 says that one is required.
    boolean required = greeted && reason.equals("handshake failure");
    TlsFault refused = refused(required ? "certificate required" : reason, mayShow, error);
    return refused != null ? refused : refusal("the handshake failed (" + reason + ")", error);
  }

  /**
   * TLS failed after the handshake. Under TLS 1.3 this is also how a server refuses a certificate.
   *
   * @param error what the engine threw
   * @param mayShow whether a client certificate may have been shown
   */
  static TlsFault broken(Exception error, boolean mayShow) {
    String reason = reason(error);
    TlsFault refused = refused(reason, mayShow, error);
    return refused != null ? refused : new TlsFault("TLS failed: " + reason, false, error);
  }

  private static TlsFault refused(String reason, boolean mayShow, Exception error) {
    if (!CERTIFICATE_ALERTS.contains(reason)) {
      return null;
    }
    if (!mayShow) {
      return refusal(
          "it wants a client certificate and none was given; give certificate and key", error);
    }
    if (reason.equals("certificate required")) {
      return refusal(
          "it wants a client certificate, and was shown none that it takes; is its authority the right one?",
          error);
    }
    return refusal(
        "it refused the client certificate ("
            + reason
            + "); is it valid, and from an authority it trusts?",
        error);
  }

  private static TlsFault refusal(String message, Throwable cause) {
    return new TlsFault(message, true, cause);
  }

  /** The server's alert, or what the engine says. */
  private static String reason(Exception error) {
    String text = String.valueOf(error.getMessage());
    return text.startsWith(ALERT)
        ? text.substring(ALERT.length()).replace('_', ' ')
        : OneLine.of(text);
  }

  private static <T extends Throwable> T find(Class<T> type, Throwable error) {
    for (Throwable each = error; each != null; each = each.getCause()) {
      if (type.isInstance(each)) {
        return type.cast(each);
      }
    }
    return null;
  }
}
