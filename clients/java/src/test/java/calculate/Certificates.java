package calculate;

import java.nio.file.Files;
import java.nio.file.Path;

/** The certificates of {@code target/certs} ({@code make certs}, examples/certs.rs). */
final class Certificates {
  private static final Path ROOT = Path.of("..", "..");
  private static final Path FOLDER = ROOT.resolve("target").resolve("certs");

  static {
    if (!Files.exists(FOLDER.resolve("ca.pem"))) {
      make();
    }
  }

  private Certificates() {}

  static Path certificate(String name) {
    return FOLDER.resolve(name + ".pem");
  }

  static Path key(String name) {
    return FOLDER.resolve(name + ".key");
  }

  /** A client's settings that trust the authority of the certificates. */
  static Tls trusting() {
    return Tls.ca(certificate("ca"));
  }

  /** The same, with a certificate of the client's own. */
  static Tls showing(String name) {
    return trusting().withCertificate(certificate(name), key(name));
  }

  static Options with(Tls tls) {
    return Options.defaults().withTls(tls);
  }

  private static void make() {
    try {
      Process make =
          new ProcessBuilder("make", "--silent", "certs")
              .directory(ROOT.toFile())
              .inheritIO()
              .start();
      if (make.waitFor() != 0) {
        throw new IllegalStateException("'make certs' failed, and the tests need what it makes");
      }
    } catch (java.io.IOException e) {
      throw new IllegalStateException("the tests need 'make certs'", e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
