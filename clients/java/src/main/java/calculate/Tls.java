package calculate;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;

/**
 * TLS 1.2 or 1.3 (RFC 5246, RFC 8446) to a server: whom to trust, who we are, what the server is
 * called. Immutable: each {@code with…} method answers a changed copy.
 *
 * <pre>{@code
 * Tls tls = Tls.ca(Path.of("ca.pem")).withCertificate(Path.of("client.pem"), Path.of("client.key"));
 * CalculateClient.connect("calculate.example:9090", Options.defaults().withTls(tls));
 * }</pre>
 *
 * <p>The server's certificate has to be for the target's host, or for the name given here; an IP
 * address has to be among its IP addresses. Nothing turns that off.
 *
 * <p>Files are PEM. They are read when they are named, and not again.
 */
public final class Tls {
  private static final List<String> VERSIONS = List.of("TLSv1.3", "TLSv1.2");

  /** Null if the context is the caller's own. */
  private final ServerTrust trust;

  /** Null if no certificate was given here. */
  private final Identity identity;

  /** Null for the target's host. */
  private final String serverName;

  private final SSLContext context;

  private Tls(ServerTrust trust, Identity identity, String serverName, SSLContext context) {
    this.trust = trust;
    this.identity = identity;
    this.serverName = serverName;
    this.context = context;
  }

  /**
   * Trusts the authorities of the system: those of the Java runtime ({@code lib/security/cacerts},
   * or what {@code javax.net.ssl.trustStore} names).
   *
   * @return TLS without a client certificate, to the target's host
   */
  public static Tls system() {
    return trusting(ServerTrust.system());
  }

  /**
   * Trusts these authorities and no others.
   *
   * @param file a PEM file with their certificates
   * @return TLS without a client certificate, to the target's host
   * @throws IllegalArgumentException if the file cannot be read or is not what it ought to be
   */
  public static Tls ca(Path file) {
    return trusting(ServerTrust.authorities(new Pem("ca", file).certificates()));
  }

  /**
   * Takes trust and client certificate from a context that was made elsewhere. The server's name is
   * checked all the same, by the context's trust manager.
   *
   * @param context for clients, initialized
   * @return TLS with it, to the target's host
   * @throws IllegalArgumentException if it offers neither TLS 1.2 nor 1.3
   */
  public static Tls context(SSLContext context) {
    if (versions(context.getDefaultSSLParameters()).length == 0) {
      throw new IllegalArgumentException("tls: the context offers neither TLS 1.2 nor TLS 1.3");
    }
    return new Tls(null, null, null, context);
  }

  /**
   * The same, with a certificate to show to a server that asks for one (mutual TLS).
   *
   * @param certificate a PEM file with the client's certificate, and behind it what leads to its
   *     authority
   * @param key a PEM file with its private key: PKCS#8, not encrypted, EC, RSA or Ed25519; others
   *     are converted by {@code openssl pkey -in OLD.key -out NEW.key}
   * @return a changed copy
   * @throws IllegalArgumentException if a file cannot be read or is not what it ought to be, if the
   *     key is not that of the certificate, or if this has a context of the caller's own
   */
  public Tls withCertificate(Path certificate, Path key) {
    if (trust == null) {
      throw new IllegalArgumentException(
          "tls: a context is given, and files besides; load the files into the context");
    }
    Identity identity = Identity.read(certificate, key);
    return new Tls(trust, identity, serverName, context(trust, identity));
  }

  /**
   * The same, to a server of another name than the target's host. A unix socket has no host: there
   * this is needed.
   *
   * @param name a DNS name or an IP address, which the server's certificate has to be for
   * @return a changed copy
   * @throws IllegalArgumentException if it is neither
   */
  public Tls withServerName(String name) {
    return new Tls(trust, identity, ServerName.checked(name), context);
  }

  /** Whom it trusts; nothing if that is in a context of the caller's own. */
  Optional<ServerTrust> trust() {
    return Optional.ofNullable(trust);
  }

  /** Who we are, if that was given here. */
  Optional<Identity> identity() {
    return Optional.ofNullable(identity);
  }

  /** Whether the server is to have another name than the target's host. */
  boolean hasServerName() {
    return serverName != null;
  }

  /** The same, where no name was given to the server of this one. */
  Tls orServerName(String name) {
    return serverName != null ? this : withServerName(name);
  }

  /** Whether the server at a target has a name that its certificate can be for. */
  boolean hasNameFor(Target target) {
    try {
      return serverName != null || !ServerName.of(target).isEmpty();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /**
   * A client's side of one connection.
   *
   * @throws IllegalArgumentException if the server has no name that its certificate could be for
   */
  TlsStream stream(Target target) {
    String name = serverName != null ? serverName : ServerName.of(target);
    SSLEngine engine =
        context.createSSLEngine(name, target instanceof Target.Tcp tcp ? tcp.port() : -1);
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(versions(parameters));
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    parameters.setServerNames(ServerName.indication(name));
    engine.setSSLParameters(parameters);
    return new TlsStream(engine, identity != null || trust == null);
  }

  private static Tls trusting(ServerTrust trust) {
    return new Tls(trust, null, null, context(trust, null));
  }

  private static SSLContext context(ServerTrust trust, Identity identity) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          identity == null ? new KeyManager[0] : new KeyManager[] {identity},
          new TrustManager[] {trust},
          null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String[] versions(SSLParameters parameters) {
    return Arrays.stream(parameters.getProtocols())
        .filter(VERSIONS::contains)
        .toArray(String[]::new);
  }
}
