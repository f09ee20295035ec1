package calculate;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

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

  /**
   * Makes a certificate that signs itself and has a common name, localhost, alone: its name is what
   * is answered.
   */
  static Path makeNameless(Path folder) throws Exception {
    String store = folder.resolve("store").toString();
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command = new ArrayList<>(List.of(keytool, "-genkeypair", "-keyalg", "EC"));
    command.addAll(List.of("-dname", "CN=localhost", "-alias", "it"));
    command.addAll(List.of("-storepass", "secret", "-keystore", store));
    run(new ProcessBuilder(command));
    KeyStore made = KeyStore.getInstance(new File(store), "secret".toCharArray());
    Path nameless = folder.resolve("nameless");
    write(certificate(nameless.toString()), "CERTIFICATE", made.getCertificate("it").getEncoded());
    Key key = made.getKey("it", "secret".toCharArray());
    write(key(nameless.toString()), "PRIVATE KEY", key.getEncoded());
    return nameless;
  }

  private static void write(Path file, String label, byte[] content) throws IOException {
    String text = Base64.getMimeEncoder().encodeToString(content);
    Files.writeString(
        file, "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n");
  }

  /** The file of a certificate in the folder, or of one anywhere by its path. */
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
      run(new ProcessBuilder("make", "--silent", "certs").directory(ROOT.toFile()));
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("the tests need 'make certs'", e);
    }
  }

  private static void run(ProcessBuilder command) throws IOException, InterruptedException {
    // What it prints is no part of the tests' own output.
    Process process = command.redirectErrorStream(true).start();
    String printed = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(command.command() + " failed: " + printed);
    }
  }
}
