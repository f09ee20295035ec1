package calculate;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.zookeeper.client.ZKClientConfig;

/**
 * TLS to ZooKeeper: what its library is told, and why a handshake failed, which it does not tell.
 */
final class ZooKeeperTls implements Closeable {
  private static final Duration PROBE = Duration.ofSeconds(1);

  private final Tls tls;
  private final List<Target.Tcp> servers;
  private final ZKClientConfig config = new ZKClientConfig();

  /** What the library reads for each connection, by the setting's name. */
  private final Map<String, Path> stores = new HashMap<>();

  private boolean closed;

  /**
   * Writes the files that the library reads.
   *
   * @param servers the ensemble, as ZooKeeper's own connect string
   * @throws IllegalStateException if they cannot be written
   */
  ZooKeeperTls(Tls tls, String servers) {
    this.tls = tls;
    this.servers = Arrays.stream(servers.split(",")).map(each -> Target.tcp(each, each)).toList();
    config.setProperty(ZKClientConfig.SECURE_CLIENT, "true");
    config.setProperty(
        ZKClientConfig.ZOOKEEPER_CLIENT_CNXN_SOCKET, "org.apache.zookeeper.ClientCnxnSocketNetty");
    config.setProperty("zookeeper.ssl.enabledProtocols", "TLSv1.3,TLSv1.2");
    config.setProperty("zookeeper.ssl.hostnameVerification", "true");
    // Lets the JDK check the host's name, and not ZooKeeper, which would ask the DNS for others.
    config.setProperty("zookeeper.fips-mode", "true");
    writeStores();
  }

  /**
   * Refuses what cannot be used with ZooKeeper.
   *
   * @throws IllegalArgumentException that says why
   */
  static void check(Tls tls) {
    if (tls.hasServerName()) {
      throw new IllegalArgumentException(
          "zooKeeperTls: a registry's certificate must be for its host; leave the server name out");
    }
    if (tls.trust().isEmpty()) {
      throw new IllegalArgumentException(
          "zooKeeperTls: a context cannot be given; give the files, or the system's authorities");
    }
    if (tls.identity().filter(each -> each.key().getAlgorithm().equals("EdDSA")).isPresent()) {
      throw new IllegalArgumentException(
          "zooKeeperTls: the key is Ed25519, which ZooKeeper's library cannot use; give EC or RSA");
    }
  }

  /** What the library is told. Nothing that is set for the whole process goes before it. */
  ZKClientConfig config() {
    return config;
  }

  /** Makes a handshake with each server in turn, until one fails: why. Takes a second for each. */
  Optional<String> fault() {
    // Folders for temporary files are tidied up.
    writeStores();
    for (Target.Tcp server : servers) {
      Optional<TlsFault> fault = fault(server);
      if (fault.isPresent()) {
        return Optional.of(
            "cannot speak TLS with ZooKeeper at "
                + server
                + ": "
                + fault
                    .get()
                    .getMessage()
                    .replace(TlsFault.PLAIN, "for a plain port, leave zk-tls out")
                    .replace(TlsFault.NAME, "correct the address"));
      }
    }
    return Optional.empty();
  }

  /** Removes the files; no session can be opened then. */
  @Override
  public synchronized void close() {
    closed = true;
    stores.values().forEach(ZooKeeperTls::remove);
  }

  /** Writes what is not there, or not any more. */
  private synchronized void writeStores() {
    List<X509Certificate> trusted = tls.trust().orElseThrow().authorities();
    write("zookeeper.ssl.trustStore", trusted.isEmpty() ? "" : Pem.text(trusted));
    write("zookeeper.ssl.keyStore", tls.identity().map(ZooKeeperTls::text).orElse(""));
  }

  private void write(String store, String text) {
    Path file = stores.get(store);
    if (closed || file != null && Files.exists(file)) {
      return;
    }
    config.setProperty(store + ".type", "PEM");
    config.setProperty(store + ".password", "");
    config.setProperty(store + ".location", "");
    if (!text.isEmpty()) {
      file = write(text);
      stores.put(store, file);
      config.setProperty(store + ".location", file.toString());
    }
  }

  private Optional<TlsFault> fault(Target server) {
    Deadline deadline = Deadline.after(PROBE);
    try {
      refusedLater(Connector.connect(server, Optional.of(tls), deadline), deadline);
    } catch (ConnectError e) {
      return e.getCause() instanceof TlsFault fault ? Optional.of(fault) : Optional.empty();
    } catch (TlsFault fault) {
      return fault.isRefusal() ? Optional.of(fault) : Optional.empty();
    } catch (CalculateError | IOException e) {
      // Not TLS's fault.
    }
    return Optional.empty();
  }

  /** Waits for what a server says by itself: under TLS 1.3 that is how it refuses a certificate. */
  private static void refusedLater(Transport transport, Deadline deadline) throws IOException {
    try (Selector selector = Selector.open()) {
      transport.socket().register(selector, SelectionKey.OP_READ);
      ByteBuffer received = ByteBuffer.allocate(1024);
      while (transport.read(received.clear()) >= 0 && deadline.leftNanos() > 0) {
        selector.select(ready -> {}, deadline.leftMillis());
      }
    } finally {
      transport.close();
    }
  }

  private static String text(Identity identity) {
    return Pem.text(identity.key()) + Pem.text(identity.chain());
  }

  /** Writes a file that nobody else can read. */
  private static Path write(String text) {
    try {
      String prefix = "calculate-zookeeper-" + ProcessHandle.current().pid() + "-";
      Path file = Files.createTempFile(prefix, ".pem");
      file.toFile().deleteOnExit();
      return Files.writeString(file, text);
    } catch (IOException e) {
      throw new IllegalStateException(
          "zooKeeperTls: no temporary file can be written (" + OneLine.of(e.toString()) + ")", e);
    }
  }

  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // It goes when the process ends.
    }
  }
}
