package calculate;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Which servers are trusted. The JDK checks the certificate, its chain (RFC 5280) and its name;
 * this says in words what is wrong with it.
 */
final class ServerTrust extends X509ExtendedTrustManager {
  private static final int DNS_NAME = 2;
  private static final int IP_ADDRESS = 7;

  private final X509ExtendedTrustManager checks;

  /** Empty for those of the system. */
  private final List<X509Certificate> authorities;

  private ServerTrust(X509ExtendedTrustManager checks, List<X509Certificate> authorities) {
    this.checks = checks;
    this.authorities = authorities;
  }

  /** Trusts what the JDK trusts by default. */
  static ServerTrust system() {
    return of(null, List.of());
  }

  /** Trusts these authorities alone. */
  static ServerTrust authorities(List<X509Certificate> authorities) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      for (X509Certificate authority : authorities) {
        store.setCertificateEntry("authority " + store.size(), authority);
      }
      return of(store, List.copyOf(authorities));
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ServerTrust of(KeyStore store, List<X509Certificate> authorities) {
    try {
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509ExtendedTrustManager checks) {
          return new ServerTrust(checks, authorities);
        }
      }
      throw new IllegalStateException("this platform does not check certificates");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The authorities that were given; none if they are those of the system. */
  List<X509Certificate> authorities() {
    return authorities;
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    try {
      checks.checkServerTrusted(chain, authType, engine);
      refuseNameless(chain[0], engine.getPeerHost());
    } catch (CertificateException e) {
      TlsFault fault =
          TlsFault.certificate(e, names(chain[0], DNS_NAME, IP_ADDRESS), engine.getPeerHost());
      throw new CertificateException(fault.getMessage(), fault);
    }
  }

  /**
   * The JDK makes do with a common name; a certificate's names are its alternative ones (RFC 9525).
   */
  private static void refuseNameless(X509Certificate certificate, String name)
      throws CertificateException {
    if (!ServerName.isAddress(name) && names(certificate, DNS_NAME).isEmpty()) {
      throw new CertificateException("No subject alternative names");
    }
  }

  private static List<String> names(X509Certificate certificate, Integer... kinds) {
    List<String> names = new ArrayList<>();
    try {
      Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
      for (List<?> name : alternatives == null ? List.<List<?>>of() : alternatives) {
        if (List.of(kinds).contains(name.get(0))) {
          names.add(name.get(1).toString());
        }
      }
    } catch (CertificateException e) {
      // Then it is for none.
    }
    return names;
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return checks.getAcceptedIssuers();
  }

  // The rest is not asked for: it is for servers, and for sockets without an engine.

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    checks.checkServerTrusted(chain, authType);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checks.checkServerTrusted(chain, authType, socket);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    checks.checkClientTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checks.checkClientTrusted(chain, authType, socket);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    checks.checkClientTrusted(chain, authType, engine);
  }
}
