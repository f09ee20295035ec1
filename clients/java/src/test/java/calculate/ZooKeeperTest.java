package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.BalancingEvent.Kind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A client that learns of its servers from a real ZooKeeper, which does what registries do. */
class ZooKeeperTest {
  private final EventLog events = new EventLog();
  @TempDir private Path folder;
  private ZooKeeperProcess zooKeeper;
  private ValueServer one;
  private ValueServer two;

  @BeforeEach
  void start() throws Exception {
    one = new ValueServer(1);
    two = new ValueServer(2);
    zooKeeper = new ZooKeeperProcess();
    zooKeeper.put("one", one.port(), "");
    zooKeeper.put("two", two.port(), "");
  }

  @AfterEach
  void stop() throws Exception {
    zooKeeper.close();
    one.close();
    two.close();
  }

  @Test
  void the_list_follows_the_registry() throws Exception {
    try (CalculateClient client = connect("")) {
      awaitAnswersOf(client, 1.0, 2.0);
      zooKeeper.put("one", one.port(), ",\"enabled\":false");
      awaitAnswersOf(client, 2.0);
      zooKeeper.put("one", one.port(), "");
      awaitAnswersOf(client, 1.0, 2.0);
      zooKeeper.put("two", two.port(), ",\"payload\":{\"weight\":\"0\"}");
      awaitAnswersOf(client, 1.0);
      try (ValueServer three = new ValueServer(3)) {
        zooKeeper.put("three", three.port(), "");
        awaitAnswersOf(client, 1.0, 3.0);
        zooKeeper.put("two", three.port(), "");
        Background.eventually(() -> events.has(Kind.INSTANCE_DOWN, "two"));
      }
      zooKeeper.remove("one");
      Background.eventually(() -> events.has(Kind.INSTANCE_DOWN, "one"));
      assertEquals(0, client.counters().orElseThrow().failures());
    }
  }

  @Test
  void version_and_group_are_what_was_asked_for() throws Exception {
    zooKeeper.put("one", one.port(), ",\"payload\":{\"version\":\"1,2\",\"group\":\"blue\"}");
    zooKeeper.put("two", two.port(), ",\"payload\":{\"version\":\"3\",\"group\":\"blue\"}");
    try (CalculateClient client = connect("?version=1-2&group=blue")) {
      awaitAnswersOf(client, 1.0);
    }
    try (CalculateClient client = connect("?version=3+&group=blue")) {
      awaitAnswersOf(client, 2.0);
    }
    // Who hosts several is called by the name of the version, but for its lowest.
    assertEquals(Set.of("Calculate.v2"), one.services);
    assertEquals(Set.of(""), two.services);
    one.services.clear();
    try (CalculateClient client = connect("?version=1&group=blue")) {
      awaitAnswersOf(client, 1.0);
    }
    assertEquals(Set.of(""), one.services);
    ConnectError error = assertThrows(ConnectError.class, () -> connect("?version=4&group=blue"));
    assertTrue(error.getMessage().contains("of the 2"), error.getMessage());
  }

  @Test
  void changes_are_seen_after_the_session_has_expired() throws Exception {
    try (CalculateClient client = connect("");
        ValueServer three = new ValueServer(3)) {
      zooKeeper.command("expire");
      Background.eventually(() -> events.count(Kind.LIST_STALE) > 0);
      Background.eventually(() -> events.count(Kind.LIST_FRESH) > 0);
      zooKeeper.put("three", three.port(), "");
      awaitAnswersOf(client, 1.0, 2.0, 3.0);
      zooKeeper.put("three", three.port(), ",\"enabled\":false");
      awaitAnswersOf(client, 1.0, 2.0);
      assertEquals(0, events.count(Kind.INSTANCE_DOWN));
    }
  }

  @Test
  void calls_go_on_while_the_registry_is_down_and_when_it_comes_back_empty() throws Exception {
    try (CalculateClient client = connect("")) {
      zooKeeper.command("stop");
      Background.eventually(() -> client.square(9) > 0 && events.count(Kind.LIST_STALE) > 0);
      awaitAnswersOf(client, 1.0, 2.0);
      zooKeeper.command("clear");
      Background.eventually(() -> events.count(Kind.LIST_EMPTY_IGNORED) > 0);
      awaitAnswersOf(client, 1.0, 2.0);
      zooKeeper.put("one", one.port(), "");
      zooKeeper.put("two", two.port(), "");
      Background.eventually(() -> events.count(Kind.LIST_FRESH) > 0);
      assertEquals(0, events.count(Kind.INSTANCE_DOWN));
      assertEquals(0, client.counters().orElseThrow().failures());
    }
  }

  @Test
  void a_list_that_was_emptied_stays() throws Exception {
    try (CalculateClient client = connect("")) {
      zooKeeper.remove("one");
      zooKeeper.remove("two");
      Background.eventually(() -> events.count(Kind.LIST_EMPTY_IGNORED) > 0);
      awaitAnswersOf(client, 1.0, 2.0);
    }
  }

  @Test
  void a_client_begins_with_the_list_on_disk_when_the_registry_is_down() throws Exception {
    connect("").close();
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache())));
    zooKeeper.command("stop");
    try (CalculateClient client = connect("");
        ValueServer three = new ValueServer(3)) {
      awaitAnswersOf(client, 1.0, 2.0);
      assertEquals(1, events.count(Kind.LIST_STALE));
      zooKeeper.command("start");
      zooKeeper.put("three", three.port(), "");
      awaitAnswersOf(client, 1.0, 2.0, 3.0);
      Background.eventually(() -> events.count(Kind.LIST_FRESH) > 0);
      Background.eventually(() -> text(cache()).contains("\"three\""));
    }
  }

  @Test
  void without_registry_and_list_a_client_does_not_begin() throws Exception {
    zooKeeper.command("stop");
    assertThrows(ConnectError.class, () -> connect(""));
    for (String broken : List.of("", "{", "[]", "{\"target\":\"zk://other:1/a/b\"}")) {
      Files.writeString(cache(), broken);
      ConnectError error = assertThrows(ConnectError.class, () -> connect(""));
      assertTrue(error.getMessage().contains(zooKeeper.target()), error.getMessage());
    }
  }

  @Test
  void a_service_that_nobody_registered_is_told() {
    String target = zooKeeper.target() + "-other";
    ConnectError error =
        assertThrows(ConnectError.class, () -> CalculateClient.connect(target, options()));
    assertTrue(error.getMessage().contains("registered"), error.getMessage());
  }

  @Test
  void hostile_nodes_are_skipped_and_told_of_once() throws Exception {
    List<Rows.Row> hostile =
        Rows.of("instances.tsv").filter(row -> row.cell(3).startsWith("skipped")).toList();
    assertFalse(hostile.isEmpty());
    for (Rows.Row row : hostile) {
      zooKeeper.put("hostile-" + row.cell(0), InstanceVectorsTest.content(row));
    }
    try (CalculateClient client = connect("")) {
      assertEquals(2, client.counters().orElseThrow().instances());
      assertEquals(hostile.size(), events.count(Kind.NODE_SKIPPED));
      zooKeeper.put("one", one.port(), ",\"enabled\":false");
      awaitAnswersOf(client, 2.0);
      assertEquals(hostile.size(), events.count(Kind.NODE_SKIPPED));
      zooKeeper.put("two", "no json");
      Background.eventually(() -> events.has(Kind.NODE_SKIPPED, "two"));
      awaitAnswersOf(client, 2.0);
    }
  }

  @Test
  void with_encryption_the_port_for_it_is_called_and_odd_names_are_not() throws Exception {
    try (RealServer encrypted =
        new RealServer(
            "--tls",
            "require",
            "--tls-certificate",
            Certificates.certificate("server").toString(),
            "--tls-key",
            Certificates.key("server").toString())) {
      String port = encrypted.address().replaceFirst(".*:", "");
      zooKeeper.put("one", one.port(), ",\"sslPort\":" + port);
      zooKeeper.put("two", "{\"address\":\"a..b\",\"port\":1,\"sslPort\":2}");
      Options options = options().withTls(Certificates.trusting());
      try (CalculateClient client = CalculateClient.connect(zooKeeper.target(), options)) {
        for (int i = 0; i < 10; i++) {
          assertEquals(3, client.square(9));
        }
        assertTrue(events.has(Kind.NODE_SKIPPED, "two"), events::toString);
      }
    }
  }

  @Test
  void the_program_takes_a_service() throws Exception {
    Run run = Run.of("", "--server", zooKeeper.target(), "--timeout", "10", "16");
    assertEquals(0, run.code(), run.err());
    assertTrue(Set.of("1.0\n", "2.0\n").contains(run.out()), run.out());
    assertEquals("", run.err());
    String file = CacheFile.defaultPath(zooKeeper.target()).getFileName().toString();
    assertTrue(
        text(Run.CACHE.resolve("calculate").resolve(file)).contains(zooKeeper.target()), file);
  }

  private void awaitAnswersOf(CalculateClient client, Double... servers) {
    Background.eventually(
        () -> {
          Set<Double> seen = new HashSet<>();
          for (int i = 0; i < 20; i++) {
            seen.add(client.square(9));
          }
          return seen.equals(Set.of(servers));
        });
  }

  private CalculateClient connect(String query) {
    return CalculateClient.connect(zooKeeper.target() + query, options());
  }

  private Options options() {
    return Options.defaults()
        .withTimeout(Duration.ofSeconds(4))
        .withBalancing(
            Balancing.defaults()
                .withBalance(Balance.ROUND_ROBIN)
                .withCacheFile(cache())
                .withListener(events));
  }

  private Path cache() {
    return folder.resolve("list.json");
  }

  private static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (java.io.IOException e) {
      return "";
    }
  }
}
