package calculate;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * What most tests begin with: a client, its server, and their one connection as the server has it.
 */
abstract class ConnectedClient {
  FakeServer server;
  CalculateClient client;
  Peer peer;

  @BeforeEach
  final void connect() throws Exception {
    server = new FakeServer(tls());
    client = CalculateClient.connect(server.address(), options());
    peer = server.accept();
  }

  /** The server's TLS; null for none. */
  ServerTls tls() {
    return null;
  }

  /** The client's options. */
  final Options options() {
    return tls() == null ? Options.defaults() : Certificates.with(Certificates.trusting());
  }

  @AfterEach
  final void close() throws Exception {
    client.close();
    server.close();
  }
}
