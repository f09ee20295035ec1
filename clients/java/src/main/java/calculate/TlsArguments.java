package calculate;

import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What a command line says of TLS. Anything at all means TLS. */
final class TlsArguments {
  @Option(names = "--tls", description = "trust the system's authorities, unless --tls-ca is given")
  private boolean tls;

  @Option(names = "--tls-ca", paramLabel = "FILE", description = "the authorities to trust (PEM)")
  private Path ca;

  @Option(
      names = "--tls-certificate",
      paramLabel = "FILE",
      description = "the client's certificate (PEM)")
  private Path certificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "its unencrypted private key (PEM, PKCS#8)")
  private Path key;

  @Option(
      names = "--tls-server-name",
      paramLabel = "NAME",
      description = "what the server's certificate must be for; default: the host of --server")
  private String serverName;

  /**
   * The TLS that is asked for, if any.
   *
   * @throws IllegalArgumentException if the arguments do not go together, or a file is not right
   */
  Optional<Tls> read() {
    if (!tls && ca == null && certificate == null && key == null && serverName == null) {
      return Optional.empty();
    }
    checkPair("--tls", certificate, key);
    Tls read = of(ca, certificate, key);
    return Optional.of(serverName == null ? read : read.withServerName(serverName));
  }

  /**
   * Refuses a certificate without its key, and the reverse; the options begin with the one given.
   */
  static void checkPair(String option, Path certificate, Path key) {
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException(
          option + "-certificate and " + option + "-key go together");
    }
  }

  /** The TLS of these files; without a file of authorities, of the system's. */
  static Tls of(Path ca, Path certificate, Path key) {
    Tls read = ca == null ? Tls.system() : Tls.ca(ca);
    return certificate == null ? read : read.withCertificate(certificate, key);
  }
}
