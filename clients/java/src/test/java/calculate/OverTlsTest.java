package calculate;

import org.junit.jupiter.api.Nested;

/** All that a client promises on a plain connection, it promises over TLS. */
class OverTlsTest {
  private static final ServerTls TLS_1_3 = ServerTls.showing("server", "TLSv1.3");
  private static final ServerTls TLS_1_2 = ServerTls.showing("server", "TLSv1.2");

  @Nested
  class AsynchronousCalls extends AsynchronousCallTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class ClosedClients extends ClosedClientTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class ClosedClientsOverTls12 extends ClosedClientTest {
    @Override
    ServerTls tls() {
      return TLS_1_2;
    }
  }

  @Nested
  class CombinedWrites extends CombinedWritesTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class HostileServers extends HostileServerTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class Interrupts extends InterruptTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class LostConnections extends LostConnectionTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class LostConnectionsOverTls12 extends LostConnectionTest {
    @Override
    ServerTls tls() {
      return TLS_1_2;
    }
  }

  @Nested
  class MixedCallers extends MixedCallersTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class OnewayCalls extends OnewayCallTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }

  @Nested
  class Timeouts extends TimeoutTest {
    @Override
    ServerTls tls() {
      return TLS_1_3;
    }
  }
}
