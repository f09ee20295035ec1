package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.BalancingEvent.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client of several real servers, of which some die, hang or come back. */
class SurvivalTest {
  private final List<RealServer> servers = new ArrayList<>();
  private final EventLog events = new EventLog();

  @BeforeEach
  void start() throws Exception {
    for (int i = 0; i < 3; i++) {
      servers.add(new RealServer());
    }
  }

  @AfterEach
  void stop() throws Exception {
    for (RealServer server : servers) {
      server.kill();
    }
  }

  @Test
  void no_call_fails_when_a_server_is_killed() throws Exception {
    try (CalculateClient client = connect(settings())) {
      Load load = new Load(client);
      load.awaitMore(500);
      servers.get(1).kill();
      Background.eventually(() -> events.has(Kind.INSTANCE_EJECTED, servers.get(1).address()));
      load.awaitMore(500);
      assertEquals(List.of(), load.stop());
      assertEquals(0, counters(client).failures());
      assertTrue(counters(client).retries() > 0);
    }
  }

  @Test
  void no_asynchronous_call_fails_when_a_server_is_killed() throws Exception {
    try (CalculateClient client = connect(settings())) {
      List<CompletableFuture<Double>> calls = new ArrayList<>();
      for (int i = 0; i < 2000; i++) {
        if (i == 1000) {
          servers.get(0).kill();
        }
        calls.add(client.calAsync(i));
        if (i % 8 == 7) {
          Background.get(calls.get(i));
        }
      }
      for (int i = 0; i < calls.size(); i++) {
        assertEquals((double) i * i, Background.get(calls.get(i)));
      }
      assertEquals(0, counters(client).failures());
    }
  }

  @Test
  void a_server_that_hangs_is_left_alone_and_called_again_when_it_answers() throws Exception {
    Balancing settings = settings().withAttemptTimeout(Duration.ofMillis(200));
    try (CalculateClient client = connect(settings)) {
      Load load = new Load(client);
      load.awaitMore(500);
      servers.get(2).signal("STOP");
      Background.eventually(() -> events.has(Kind.INSTANCE_EJECTED, servers.get(2).address()));
      load.awaitMore(500);
      servers.get(2).signal("CONT");
      Background.eventually(() -> events.has(Kind.INSTANCE_RETURNED, servers.get(2).address()));
      load.awaitMore(500);
      assertEquals(List.of(), load.stop());
    }
  }

  @Test
  void a_call_that_takes_long_is_sent_elsewhere_too() throws Exception {
    Balancing settings =
        settings()
            .withHedge(true)
            .withBalance(Balance.ROUND_ROBIN)
            .withAttemptTimeout(Duration.ofSeconds(30));
    try (CalculateClient client = connect(settings)) {
      for (int i = 0; i < 200; i++) {
        assertEquals(3, client.square(9));
      }
      servers.get(0).signal("STOP");
      for (int i = 0; i < 6; i++) {
        assertEquals(3, client.square(9));
        assertEquals(3, Background.get(client.squareAsync(9)));
      }
      assertTrue(counters(client).hedges() > 0, events::toString);
      assertEquals(0, counters(client).failures());
    }
  }

  @Test
  void when_none_is_left_the_error_is_given_and_the_budget_ends_retries() throws Exception {
    try (CalculateClient client = connect(settings())) {
      for (RealServer server : servers) {
        server.kill();
      }
      Background.eventually(
          () -> {
            TransportError error = assertThrows(TransportError.class, () -> client.square(9));
            assertTrue(
                servers.stream().anyMatch(s -> error.getMessage().contains(s.address())),
                error::getMessage);
            return counters(client).retriesDenied() > 0;
          });
      assertTrue(counters(client).failures() > 0);
    }
  }

  @Test
  void the_last_ones_are_called_although_they_failed() throws Exception {
    try (CalculateClient client = connect(settings())) {
      for (RealServer server : servers) {
        server.kill();
      }
      assertThrows(TransportError.class, () -> client.square(9));
      servers.add(new RealServer("--listen", servers.get(0).address()));
      Background.eventually(
          () -> {
            try {
              return client.square(9) == 3;
            } catch (TransportError e) {
              return false;
            }
          });
    }
  }

  @Test
  void encrypted_calls_go_on_when_a_server_is_killed() throws Exception {
    servers.addAll(List.of(encrypted(), encrypted()));
    String target = servers.get(3).address() + "," + servers.get(4).address();
    Options options = Certificates.with(Certificates.trusting()).withBalancing(settings());
    try (CalculateClient client = CalculateClient.connect(target, options)) {
      for (int i = 0; i < 40; i++) {
        if (i == 20) {
          servers.get(3).kill();
        }
        assertEquals(3, client.square(9));
      }
    }
    String name = "dns://localhost:" + servers.get(4).address().replaceFirst(".*:", "");
    try (CalculateClient client = CalculateClient.connect(name, options)) {
      assertEquals(3, client.square(9));
    }
  }

  @Test
  void a_client_begins_when_the_first_server_is_down() throws Exception {
    servers.get(0).kill();
    servers.get(1).kill();
    try (CalculateClient client = connect(settings())) {
      for (int i = 0; i < 5; i++) {
        assertEquals(3, client.square(9));
      }
    }
  }

  @Test
  void a_client_does_not_begin_when_all_are_down() throws Exception {
    for (RealServer server : servers) {
      server.kill();
    }
    assertThrows(ConnectError.class, () -> connect(settings()));
  }

  private Balancing settings() {
    return Balancing.defaults().withListener(events);
  }

  private CalculateClient connect(Balancing settings) {
    String target = servers.stream().map(RealServer::address).collect(Collectors.joining(","));
    return CalculateClient.connect(target, Options.defaults().withBalancing(settings));
  }

  private static RealServer encrypted() throws Exception {
    return new RealServer(
        "--tls",
        "require",
        "--tls-certificate",
        Certificates.certificate("server").toString(),
        "--tls-key",
        Certificates.key("server").toString());
  }

  private static BalancingCounters counters(CalculateClient client) {
    return client.counters().orElseThrow();
  }

  /** Some threads that call all the time. */
  private static final class Load {
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final AtomicInteger answered = new AtomicInteger();
    private final List<CompletableFuture<List<String>>> threads = new ArrayList<>();

    Load(CalculateClient client) {
      for (int i = 0; i < 3; i++) {
        threads.add(Background.run(() -> call(client)));
      }
    }

    private List<String> call(CalculateClient client) {
      List<String> failures = new ArrayList<>();
      while (!stopped.get()) {
        try {
          assertEquals(3, client.square(9));
          answered.incrementAndGet();
        } catch (CalculateError e) {
          failures.add(e.toString());
        }
      }
      return failures;
    }

    void awaitMore(int calls) {
      int wanted = answered.get() + calls;
      Background.eventually(() -> answered.get() >= wanted);
    }

    /** What failed. */
    List<String> stop() throws Exception {
      stopped.set(true);
      List<String> failures = new ArrayList<>();
      for (var thread : threads) {
        failures.addAll(Background.get(thread));
      }
      return failures;
    }
  }
}
