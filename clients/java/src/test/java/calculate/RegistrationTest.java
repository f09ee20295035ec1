package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import calculate.BalancingEvent.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client of real servers that register themselves in a real ZooKeeper. */
class RegistrationTest {
  private final EventLog events = new EventLog();
  private final List<RealServer> started = new ArrayList<>();
  private ZooKeeperProcess zooKeeper;
  private RealServer one;
  private RealServer two;

  @BeforeEach
  void start() throws Exception {
    zooKeeper = new ZooKeeperProcess();
    one = registered("one");
    two = registered("two");
  }

  @AfterEach
  void stop() throws Exception {
    for (RealServer server : started) {
      server.kill();
    }
    zooKeeper.close();
  }

  @Test
  void no_call_fails_when_servers_are_replaced_one_by_one() throws Exception {
    try (CalculateClient client = connect(Options.defaults())) {
      RealServer three = registered("three");
      awaitCalling(client, Kind.INSTANCE_UP, "three");
      one.close();
      awaitCalling(client, Kind.INSTANCE_DOWN, "one");
      one = registered("four");
      awaitCalling(client, Kind.INSTANCE_UP, "four");
      two.close();
      awaitCalling(client, Kind.INSTANCE_DOWN, "two");
      three.kill();
      awaitCalling(client, Kind.INSTANCE_DOWN, "three");
      assertEquals(0, client.counters().orElseThrow().failures());
    }
  }

  @Test
  void the_encrypted_port_of_a_server_is_found() throws Exception {
    one.close();
    two.close();
    one =
        registered(
            "encrypted",
            "--tls",
            "require",
            "--tls-certificate",
            Certificates.certificate("server").toString(),
            "--tls-key",
            Certificates.key("server").toString());
    try (CalculateClient client = connect(Certificates.with(Certificates.trusting()))) {
      assertEquals(3, client.square(9));
    }
  }

  /** Calls until it has happened; no call may fail. */
  private void awaitCalling(CalculateClient client, Kind kind, String instance) {
    Background.eventually(() -> client.square(9) == 3 && events.has(kind, instance));
  }

  private RealServer registered(String id, String... arguments) throws Exception {
    String[] registering = {
      "--register", zooKeeper.base(), "--instance-id", id, "--zk-session-timeout", "1"
    };
    String[] all = Arrays.copyOf(registering, registering.length + arguments.length);
    System.arraycopy(arguments, 0, all, registering.length, arguments.length);
    RealServer server = new RealServer(all);
    started.add(server);
    zooKeeper.awaitNode(id);
    return server;
  }

  private CalculateClient connect(Options options) {
    Balancing settings = Balancing.defaults().withoutCacheFile().withListener(events);
    return CalculateClient.connect(zooKeeper.target(), options.withBalancing(settings));
  }
}
