package calculate;

import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * Who a client says it is: its certificate, which is shown to every server that asks for one, and
 * its key. The JDK's own key managers keep a certificate back whose authority the server did not
 * name; so its user would not hear that the server refuses it.
 */
final class Identity extends X509ExtendedKeyManager {
  private static final String ALIAS = "client";

  /** By the key's algorithm. */
  private static final Map<String, String> SIGNATURES =
      Map.of("EC", "SHA256withECDSA", "RSA", "SHA256withRSA", "EdDSA", "EdDSA");

  private final X509Certificate[] chain;
  private final PrivateKey key;

  private Identity(X509Certificate[] chain, PrivateKey key) {
    this.chain = chain;
    this.key = key;
  }

  /**
   * Reads an identity.
   *
   * @param certificate a PEM file with the certificate and what leads to its authority
   * @param key a PEM file with its private key
   * @throws IllegalArgumentException if a file is not what it ought to be, or they do not match
   */
  static Identity read(Path certificate, Path key) {
    List<X509Certificate> chain = new Pem("certificate", certificate).certificates();
    Pem keyFile = new Pem("key", key);
    PrivateKey privateKey = keyFile.key();
    if (!match(chain.get(0), privateKey)) {
      throw keyFile.wrong("it is not the key of the certificate in '" + certificate + "'", null);
    }
    return new Identity(chain.toArray(new X509Certificate[0]), privateKey);
  }

  private static boolean match(X509Certificate certificate, PrivateKey key) {
    byte[] text = {1, 2, 3};
    try {
      Signature signature = Signature.getInstance(SIGNATURES.get(key.getAlgorithm()));
      signature.initSign(key);
      signature.update(text);
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(text);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** The certificate, and what leads to its authority. */
  List<X509Certificate> chain() {
    return List.of(chain);
  }

  /** Its key. */
  PrivateKey key() {
    return key;
  }

  @Override
  public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
    return List.of(keyTypes).contains(key.getAlgorithm()) ? ALIAS : null;
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    return chain.clone();
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    return key;
  }

  // The rest is not asked for: it is for servers, and for sockets without an engine.

  @Override
  public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
    return null;
  }

  @Override
  public String[] getClientAliases(String keyType, Principal[] issuers) {
    return null;
  }

  @Override
  public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
    return null;
  }

  @Override
  public String[] getServerAliases(String keyType, Principal[] issuers) {
    return null;
  }
}
