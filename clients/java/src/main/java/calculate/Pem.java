package calculate;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a PEM file holds (RFC 7468): certificates, or an unencrypted private key in PKCS#8; and the
 * text of one.
 */
final class Pem {
  private static final int MAX_BYTES = 16 << 20;
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s(.*?)-----END \\1-----", Pattern.DOTALL);
  private static final List<String> KEY_ALGORITHMS = List.of("EC", "RSA", "EdDSA");

  /** One of a file's blocks. */
  private record Block(String label, String content) {
    byte[] bytes() {
      return Base64.getMimeDecoder().decode(content);
    }
  }

  private final String setting;
  private final Path file;
  private final List<Block> blocks = new ArrayList<>();

  /** Whether the file ends within a block. */
  private final boolean cut;

  /**
   * Reads a file.
   *
   * @param setting what the file is for, for errors
   * @throws IllegalArgumentException if it cannot be read
   */
  Pem(String setting, Path file) {
    this.setting = setting;
    this.file = file;
    String text = text();
    Matcher matcher = BLOCK.matcher(text);
    int end = 0;
    while (matcher.find()) {
      blocks.add(new Block(matcher.group(1), matcher.group(2)));
      end = matcher.end();
    }
    cut = text.indexOf("-----BEGIN ", end) >= 0;
  }

  /**
   * All certificates of the file.
   *
   * @return one at least
   * @throws IllegalArgumentException if there is none, or a broken one
   */
  List<X509Certificate> certificates() {
    List<X509Certificate> certificates = new ArrayList<>();
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      for (Block block : blocks) {
        if (block.label.equals("CERTIFICATE")) {
          InputStream bytes = new ByteArrayInputStream(block.bytes());
          certificates.add((X509Certificate) factory.generateCertificate(bytes));
        }
      }
    } catch (CertificateException | IllegalArgumentException e) {
      throw wrong("it holds a certificate that is broken", e);
    }
    if (certificates.isEmpty()) {
      throw wrong("it does not hold certificates in PEM form", null);
    }
    if (cut) {
      throw wrong("it is cut off", null);
    }
    return certificates;
  }

  /**
   * The file's private key: EC, RSA or Ed25519.
   *
   * @throws IllegalArgumentException if there is none, or not in this form
   */
  PrivateKey key() {
    for (Block block : blocks) {
      if (block.label.equals("PRIVATE KEY")) {
        return key(block);
      }
    }
    for (Block block : blocks) {
      if (block.label.endsWith("PRIVATE KEY")) {
        boolean encrypted =
            block.label.startsWith("ENCRYPTED") || block.content.contains("ENCRYPTED");
        String what =
            encrypted ? "it is encrypted" : "its key is an " + block.label + ", not in PKCS#8";
        throw wrong(what + "; convert it: openssl pkey -in " + file + " -out NEW.key", null);
      }
    }
    throw wrong("it does not hold a private key in PEM form", null);
  }

  private PrivateKey key(Block block) {
    byte[] bytes;
    try {
      bytes = block.bytes();
    } catch (IllegalArgumentException e) {
      throw wrong("its key is broken", e);
    }
    InvalidKeySpecException failure = null;
    for (String algorithm : KEY_ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(bytes));
      } catch (InvalidKeySpecException e) {
        failure = e;
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }
    throw wrong("its key is broken, or of a kind other than EC, RSA and Ed25519", failure);
  }

  /** Certificates as the text of a file. */
  static String text(List<X509Certificate> certificates) {
    StringBuilder text = new StringBuilder();
    try {
      for (X509Certificate certificate : certificates) {
        text.append(text("CERTIFICATE", certificate.getEncoded()));
      }
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException(e); // it was read from its encoding
    }
    return text.toString();
  }

  /** A private key as the text of a file. */
  static String text(PrivateKey key) {
    return text("PRIVATE KEY", key.getEncoded());
  }

  private static String text(String label, byte[] content) {
    String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    return "-----BEGIN " + label + "-----\n" + lines + "\n-----END " + label + "-----\n";
  }

  /** The error that tells what is wrong with the file. */
  IllegalArgumentException wrong(String what, Exception cause) {
    return new IllegalArgumentException(
        "tls: the " + setting + " file '" + OneLine.of(file.toString()) + "': " + what, cause);
  }

  private String text() {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw wrong("it is longer than " + MAX_BYTES + " bytes", null);
      }
      return new String(bytes, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      throw wrong("it cannot be read (no such file or directory)", e);
    } catch (AccessDeniedException e) {
      throw wrong("it cannot be read (permission denied)", e);
    } catch (IOException e) {
      String why = OneLine.of(String.valueOf(e.getMessage())).toLowerCase(Locale.ROOT);
      throw wrong("it cannot be read (" + why + ")", e);
    }
  }
}
