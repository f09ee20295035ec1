package calculate;

import java.io.IOException;
import java.net.Socket;
import java.security.KeyStore;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * The TLS of a server of the tests: the JDK's own.
 *
 * @param certificate the name of the certificate that it shows
 * @param version the one that it speaks
 * @param clientCa the name of the authority whose certificates it asks clients for; null for none
 * @param cipher the one that it speaks; null for any
 */
record ServerTls(String certificate, String version, String clientCa, String cipher) {
  static ServerTls showing(String certificate, String version) {
    return new ServerTls(certificate, version, null, null);
  }

  static ServerTls asking(String version) {
    return new ServerTls("server", version, "ca", null);
  }

  /** The server's side on an accepted socket; its handshake is still to be made. */
  SSLSocket on(Socket socket) throws Exception {
    SSLSocket secured =
        (SSLSocket) context().getSocketFactory().createSocket(socket, null, 0, true);
    secured.setUseClientMode(false);
    secured.setNeedClientAuth(clientCa != null);
    secured.setEnabledProtocols(new String[] {version});
    if (cipher != null) {
      secured.setEnabledCipherSuites(new String[] {cipher});
    }
    return secured;
  }

  /** The server's side without a socket. */
  SSLEngine engine() throws Exception {
    SSLEngine engine = context().createSSLEngine();
    engine.setUseClientMode(false);
    engine.setEnabledProtocols(new String[] {version});
    return engine;
  }

  private SSLContext context() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys(certificate), clientCa == null ? null : trust(clientCa), null);
    return context;
  }

  /** The certificate of that name and its key. */
  static KeyManager[] keys(String name) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry(
        name,
        new Pem("key", Certificates.key(name)).key(),
        new char[0],
        new Pem("certificate", Certificates.certificate(name))
            .certificates()
            .toArray(java.security.cert.X509Certificate[]::new));
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, new char[0]);
    return factory.getKeyManagers();
  }

  /** Trust in the authority of that name. */
  static TrustManager[] trust(String name) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setCertificateEntry(
        name, new Pem("ca", Certificates.certificate(name)).certificates().get(0));
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  /** Makes the handshake on an accepted socket. */
  Peer accept(Socket socket) throws Exception {
    SSLSocket secured = on(socket);
    try {
      secured.startHandshake();
    } catch (IOException e) {
      socket.close();
      throw e;
    }
    return new Peer(socket, secured);
  }
}
