package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.BalancingEvent.Kind;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client of two servers whose every answer the test decides. */
class BalancedClientTest {
  private final EventLog events = new EventLog();
  private ValueServer one;
  private ValueServer two;

  @BeforeEach
  void start() throws Exception {
    one = new ValueServer(1);
    two = new ValueServer(2);
  }

  @AfterEach
  void stop() throws Exception {
    one.close();
    two.close();
  }

  @Test
  void calls_go_to_all() {
    for (Balance balance : Balance.values()) {
      try (CalculateClient client = connect(settings().withBalance(balance))) {
        Set<Double> seen = new HashSet<>();
        Background.eventually(() -> seen.add(client.square(9)) && seen.size() == 2);
      }
    }
  }

  @Test
  void the_same_key_goes_to_the_same_server() throws Exception {
    try (CalculateClient client = connect(settings().withBalance(Balance.HASH))) {
      Set<Double> servers = new HashSet<>();
      for (int customer = 0; customer < 50; customer++) {
        CallOptions options = CallOptions.key("customer-" + customer);
        double server = client.square(9, options);
        servers.add(server);
        assertEquals(server, client.cal(9, options.withTimeout(Duration.ofSeconds(2))));
        assertEquals(server, Background.get(client.squareAsync(9, options)));
      }
      assertEquals(Set.of(1.0, 2.0), servers);
    }
  }

  @Test
  void two_dead_servers_of_three_are_not_noticed_however_many_calls_there_are() throws Exception {
    ValueServer three = new ValueServer(3);
    String all = one.address() + "," + two.address() + "," + three.address();
    one.close();
    three.close();
    Options options = Options.defaults().withBalancing(settings());
    try (CalculateClient client = CalculateClient.connect(all, options)) {
      for (int i = 0; i < 3000; i++) {
        assertEquals(2, client.square(9));
      }
      assertEquals(0, client.counters().orElseThrow().failures());
      assertEquals(0, client.counters().orElseThrow().retriesDenied());
    }
  }

  @Test
  void who_is_overloaded_is_passed_over_and_not_blamed() throws Exception {
    one.mood = ValueServer.Mood.OVERLOADED;
    try (CalculateClient client = connect(settings().withBalance(Balance.ROUND_ROBIN))) {
      for (int i = 0; i < 10; i++) {
        assertEquals(2, client.square(9));
        assertEquals(2, Background.get(client.squareAsync(9)));
      }
      assertTrue(one.calls.get() > 0);
      assertEquals(0, client.counters().orElseThrow().ejections());
    }
  }

  @Test
  void overload_everywhere_is_told() throws Exception {
    one.mood = ValueServer.Mood.OVERLOADED;
    two.mood = ValueServer.Mood.OVERLOADED;
    try (CalculateClient client = connect(settings())) {
      assertThrows(Overloaded.class, () -> client.square(9));
      assertEquals(2, one.calls.get() + two.calls.get());
      Background.failure(Overloaded.class, client.squareAsync(9));
    }
  }

  @Test
  void a_reply_that_is_none_is_asked_for_elsewhere() throws Exception {
    one.mood = ValueServer.Mood.GARBLED;
    try (CalculateClient client = connect(settings().withBalance(Balance.ROUND_ROBIN))) {
      for (int i = 0; i < 10; i++) {
        assertEquals(2, client.square(9));
      }
      assertTrue(events.has(Kind.INSTANCE_EJECTED, one.address()), events::toString);
    }
  }

  @Test
  void an_error_that_is_an_answer_is_not_asked_for_twice() throws Exception {
    one.mood = ValueServer.Mood.UNKNOWN_METHOD;
    two.mood = ValueServer.Mood.UNKNOWN_METHOD;
    try (CalculateClient client = connect(settings())) {
      assertThrows(ApplicationError.class, () -> client.square(9));
      assertEquals(1, one.calls.get() + two.calls.get());
      assertEquals(0, client.counters().orElseThrow().failures());
    }
  }

  @Test
  void a_probe_that_is_refused_returns_an_instance() throws Exception {
    one.mood = ValueServer.Mood.GARBLED;
    try (CalculateClient client = connect(settings().withBalance(Balance.ROUND_ROBIN))) {
      Background.eventually(
          () -> client.square(9) == 2 && events.has(Kind.INSTANCE_EJECTED, one.address()));
      one.mood = ValueServer.Mood.UNKNOWN_METHOD;
      Background.eventually(() -> events.has(Kind.INSTANCE_RETURNED, one.address()));
    }
  }

  @Test
  void when_nobody_answers_the_deadline_is_told() {
    one.mood = ValueServer.Mood.SILENT;
    two.mood = ValueServer.Mood.SILENT;
    try (CalculateClient client = connect(settings().withAttemptTimeout(Duration.ofMillis(50)))) {
      DeadlineExceeded error =
          assertThrows(DeadlineExceeded.class, () -> client.square(9, Duration.ofMillis(400)));
      assertTrue(error.getMessage().contains("0.4 s"), error.getMessage());
      assertEquals(2, one.calls.get() + two.calls.get());
    }
  }

  @Test
  void cancelling_abandons_the_attempts() throws Exception {
    one.mood = ValueServer.Mood.SILENT;
    two.mood = ValueServer.Mood.SILENT;
    try (CalculateClient client = connect(settings())) {
      CompletableFuture<Double> call = client.squareAsync(9);
      Background.eventually(() -> one.calls.get() + two.calls.get() > 0);
      assertTrue(call.cancel(true));
      one.mood = ValueServer.Mood.WELL;
      two.mood = ValueServer.Mood.WELL;
      assertTrue(client.square(9) > 0);
      assertEquals(0, client.counters().orElseThrow().failures());
    }
  }

  @Test
  void one_thread_serves_all_instances() throws Exception {
    try (CalculateClient client = connect(settings().withBalance(Balance.ROUND_ROBIN))) {
      for (int i = 0; i < 4; i++) {
        assertTrue(Background.get(client.squareAsync(9)) > 0);
      }
      assertTrue(one.calls.get() > 0 && two.calls.get() > 0);
      assertEquals(1, ioThreads());
    }
    Background.eventually(() -> ioThreads() == 0);
  }

  @Test
  void the_kernel_keeps_no_socket_of_an_asynchronous_connection_that_was_closed() throws Exception {
    Balancing settings = settings().withIdleClose(Duration.ofMillis(50));
    try (CalculateClient client = connect(settings)) {
      Background.eventually(() -> one.ended.get() + two.ended.get() > 0);
      long none = descriptors();
      assertTrue(Background.get(client.squareAsync(9)) > 0);
      Background.eventually(() -> one.ended.get() + two.ended.get() > 1);
      Background.eventually(() -> descriptors() <= none);
    }
  }

  @Test
  void connections_are_renewed_without_a_failure() {
    Balancing settings = settings().withMaxConnectionAge(Duration.ofMillis(100));
    try (CalculateClient client = connect(settings)) {
      Background.eventually(() -> client.square(9) > 0 && one.connections.get() > 2);
      assertEquals(0, client.counters().orElseThrow().failures());
      assertTrue(client.counters().orElseThrow().connects() > 2);
    }
  }

  @Test
  void idle_connections_are_closed() {
    Balancing settings = settings().withIdleClose(Duration.ofMillis(50));
    try (CalculateClient client = connect(settings)) {
      assertTrue(client.square(9) > 0);
      Background.eventually(() -> one.ended.get() + two.ended.get() > 0);
      int before = one.connections.get() + two.connections.get();
      assertTrue(client.square(9) > 0);
      Background.eventually(() -> one.connections.get() + two.connections.get() > before);
    }
  }

  @Test
  void a_blocking_call_in_a_callback_is_refused() throws Exception {
    try (CalculateClient client = connect(settings())) {
      // A call that is answered before it gets its callback runs that on this thread, which may
      // wait.
      Background.eventually(() -> failsAsRefused(client));
    }
  }

  @Test
  void a_closed_client_says_so() throws Exception {
    CalculateClient client = connect(settings());
    one.mood = ValueServer.Mood.SILENT;
    two.mood = ValueServer.Mood.SILENT;
    CompletableFuture<Double> call = client.squareAsync(9);
    Background.eventually(() -> one.calls.get() + two.calls.get() > 0);
    client.close();
    Background.failure(ConnectionClosed.class, call);
    assertThrows(ConnectionClosed.class, () -> client.square(9));
    Background.failure(ConnectionClosed.class, client.squareAsync(9));
    client.close();
  }

  @Test
  void closing_ends_calls_on_connections_that_were_replaced_meanwhile() throws Exception {
    one.mood = ValueServer.Mood.SILENT;
    two.mood = ValueServer.Mood.SILENT;
    Options options =
        Options.defaults()
            .withTimeout(Duration.ofSeconds(60))
            .withBalancing(
                settings()
                    .withBalance(Balance.ROUND_ROBIN)
                    .withMaxConnectionAge(Duration.ofMillis(100))
                    .withAttempts(1));
    CalculateClient client = CalculateClient.connect(one.address() + "," + two.address(), options);
    CompletableFuture<Double> asynchronous = client.squareAsync(9);
    CompletableFuture<Double> blocking = Background.run(() -> client.square(9));
    Background.eventually(() -> one.calls.get() + two.calls.get() == 2);
    one.mood = ValueServer.Mood.WELL;
    two.mood = ValueServer.Mood.WELL;
    int ones = one.connections.get();
    int twos = two.connections.get();
    Background.eventually(
        () -> client.square(9) > 0 && one.connections.get() > ones && two.connections.get() > twos);
    client.close();
    Background.failure(ConnectionClosed.class, asynchronous);
    Background.failure(ConnectionClosed.class, blocking);
  }

  @Test
  void closing_ends_calls_that_wait_for_their_next_attempt() throws Exception {
    for (int i = 0; i < 20; i++) {
      try (ValueServer third = new ValueServer(3);
          ValueServer fourth = new ValueServer(4)) {
        CalculateClient client =
            CalculateClient.connect(
                third.address() + "," + fourth.address(),
                Options.defaults().withBalancing(settings()));
        third.mood = ValueServer.Mood.GARBLED;
        fourth.mood = ValueServer.Mood.GARBLED;
        CompletableFuture<Double> call = client.squareAsync(9);
        Background.eventually(() -> third.calls.get() + fourth.calls.get() > 0);
        client.close();
        assertThrows(ExecutionException.class, () -> Background.get(call));
      }
    }
  }

  @Test
  void an_interrupt_ends_the_call_and_nothing_else() throws Exception {
    one.mood = ValueServer.Mood.SILENT;
    two.mood = ValueServer.Mood.SILENT;
    try (CalculateClient client = connect(settings())) {
      CompletableFuture<CalculateError> error = new CompletableFuture<>();
      Thread caller =
          Background.start(
              () -> error.complete(assertThrows(CalculateError.class, () -> client.square(9))));
      Background.eventually(() -> one.calls.get() + two.calls.get() > 0);
      caller.interrupt();
      assertTrue(Background.get(error).getCause() instanceof InterruptedException);
      one.mood = ValueServer.Mood.WELL;
      two.mood = ValueServer.Mood.WELL;
      assertTrue(client.square(9) > 0);
    }
  }

  @Test
  void a_client_of_one_server_has_no_counters() {
    try (CalculateClient client = CalculateClient.connect(one.address())) {
      assertEquals(Optional.empty(), client.counters());
      assertEquals(1, client.square(9, CallOptions.key("customer-7")));
    }
  }

  @Test
  void a_name_stands_for_its_addresses() {
    try (CalculateClient client = CalculateClient.connect("dns://localhost:" + one.port())) {
      assertEquals(1, client.square(9));
    }
    ConnectError error =
        assertThrows(
            ConnectError.class, () -> CalculateClient.connect("dns://no-such-host.invalid:1"));
    assertTrue(error.getMessage().contains("no-such-host.invalid"), error.getMessage());
  }

  private long ioThreads() {
    String name = "calculate-io-" + one.address() + "," + two.address();
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals(name))
        .count();
  }

  /** The sockets of this process; those that the test's servers have are among them. */
  private static long descriptors() {
    return Stream.of(new File("/proc/self/fd").listFiles())
        .filter(BalancedClientTest::isSocket)
        .count();
  }

  private static boolean isSocket(File descriptor) {
    try {
      return Files.readSymbolicLink(descriptor.toPath()).toString().startsWith("socket:");
    } catch (IOException e) {
      return false; // the directory's own
    }
  }

  private static boolean failsAsRefused(CalculateClient client) {
    CompletableFuture<Double> called = client.squareAsync(9).thenApply(ignored -> client.square(9));
    return called
        .handle(
            (value, error) -> error != null && error.getCause() instanceof IllegalStateException)
        .join();
  }

  private Balancing settings() {
    return Balancing.defaults().withListener(events);
  }

  private CalculateClient connect(Balancing settings) {
    return CalculateClient.connect(
        one.address() + "," + two.address(), Options.defaults().withBalancing(settings));
  }
}
