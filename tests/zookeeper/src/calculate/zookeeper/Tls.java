package calculate.zookeeper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/**
 * What the nodes show of themselves on their secure ports, and what they want to see.
 *
 * @param certificate the nodes' certificate, PEM
 * @param key its key, PEM
 * @param clientCa who signs clients' certificates, PEM
 * @param clientAuth none, want or need
 */
record Tls(Path certificate, Path key, Path clientCa, String clientAuth) {
  /** Turns it on; what ZooKeeper wants in one file is put into {@code folder}. */
  void set(Properties settings, Path folder) throws IOException {
    Files.createDirectories(folder);
    Path store = folder.resolve("key-store.pem");
    String both = Files.readString(key) + Files.readString(certificate);
    Files.write(store, both.getBytes(StandardCharsets.US_ASCII));
    settings.setProperty("serverCnxnFactory", "org.apache.zookeeper.server.NettyServerCnxnFactory");
    settings.setProperty("ssl.keyStore.type", "PEM");
    settings.setProperty("ssl.keyStore.location", store.toString());
    settings.setProperty("ssl.trustStore.type", "PEM");
    settings.setProperty("ssl.trustStore.location", clientCa.toString());
    settings.setProperty("ssl.clientAuth", clientAuth);
    // Whose certificate it is, is what a registry asks of its clients; not where they come from.
    settings.setProperty("ssl.clientHostnameVerification", "false");
  }
}
