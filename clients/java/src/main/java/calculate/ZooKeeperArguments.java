package calculate;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What a command line, or the environment, says of ZooKeeper. */
final class ZooKeeperArguments {
  @Option(
      names = "--zk-auth",
      paramLabel = "USER:PASSWORD",
      defaultValue = "${env:CALCULATE_ZK_AUTH}",
      description = "for ZooKeeper's digest scheme")
  private String auth;

  @Option(
      names = "--zk-tls",
      defaultValue = "${env:CALCULATE_ZK_TLS:-false}",
      description = "trust the system's authorities, unless --zk-tls-ca is given")
  private boolean tls;

  @Option(
      names = "--zk-tls-ca",
      paramLabel = "FILE",
      defaultValue = "${env:CALCULATE_ZK_TLS_CA}",
      description = "the authorities to trust (PEM)")
  private Path ca;

  @Option(
      names = "--zk-tls-certificate",
      paramLabel = "FILE",
      defaultValue = "${env:CALCULATE_ZK_TLS_CERTIFICATE}",
      description = "the client's certificate for ZooKeeper (PEM)")
  private Path certificate;

  @Option(
      names = "--zk-tls-key",
      paramLabel = "FILE",
      defaultValue = "${env:CALCULATE_ZK_TLS_KEY}",
      description = "its unencrypted private key (PEM, PKCS#8)")
  private Path key;

  /**
   * The settings with what is said here.
   *
   * @throws IllegalArgumentException if the arguments do not go together, or a file is not right
   */
  Balancing read(Balancing settings) {
    Balancing read = auth == null ? settings : settings.withZooKeeperAuth(auth);
    TlsArguments.checkPair("--zk-tls", certificate, key);
    return tls || ca != null || certificate != null ? read.withZooKeeperTls(tls()) : read;
  }

  private Tls tls() {
    try {
      return TlsArguments.of(ca, certificate, key);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("zk-" + e.getMessage(), e);
    }
  }
}
