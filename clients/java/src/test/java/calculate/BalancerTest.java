package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.Attempts.Attempt;
import calculate.BalancingEvent.Kind;
import calculate.Retry.Failure;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is decided for calls, with a clock and random numbers of the test's own. */
class BalancerTest {
  private final EventLog log = new EventLog();
  private final Events events = new Events(log);
  private long nanos = TimeUnit.HOURS.toNanos(1);

  @Test
  void who_fails_is_left_alone_until_a_probe_is_answered() {
    Balancer balancer = balancer(Balancing.defaults(), "a", "b");
    Attempts call = call(true);
    Attempt attempt = balancer.begin(call);
    Member failed = attempt.member();
    assertTrue(balancer.failed(call, attempt, Failure.CLOSED, "it closed") >= 0);
    assertNotEquals(failed, balancer.begin(call).member());
    for (int i = 0; i < 20; i++) {
      assertNotEquals(failed, balancer.begin(call(true)).member());
    }
    assertEquals(List.of(), balancer.takeDue());
    pass(1200);
    assertEquals(List.of(failed), balancer.takeDue());
    assertEquals(List.of(), balancer.takeDue());
    balancer.probed(failed, false);
    pass(1200);
    assertEquals(List.of(), balancer.takeDue());
    pass(1200);
    assertEquals(List.of(failed), balancer.takeDue());
    balancer.probed(failed, true);
    events.tell();
    assertEquals(2, log.count(Kind.INSTANCE_EJECTED));
    assertEquals(1, log.count(Kind.INSTANCE_RETURNED));
  }

  @Test
  void a_method_that_is_not_idempotent_is_called_once_more_only_when_nothing_was_sent() {
    Balancer balancer = balancer(Balancing.defaults(), "a", "b", "c");
    Attempts call = call(false);
    assertEquals(Balancer.GIVE_UP, balancer.failed(call, balancer.begin(call), Failure.CLOSED, ""));
    Attempts other = call(false);
    assertTrue(balancer.failed(other, balancer.begin(other), Failure.CONNECT, "") >= 0);
    assertEquals(1, balancer.counters().failures());
    assertEquals(1, balancer.counters().retries());
  }

  @Test
  void calls_in_flight_are_counted_whatever_comes_of_them() {
    Balancer balancer = balancer(Balancing.defaults(), "a");
    Member member = balancer.members().get(0);
    Attempts answered = call(true);
    Attempt first = balancer.begin(answered);
    Attempts failed = call(true);
    Attempt second = balancer.begin(failed);
    Attempts dropped = call(true);
    Attempt third = balancer.begin(dropped);
    assertEquals(3, member.inFlight.get());
    balancer.answered(answered, first);
    balancer.failed(failed, second, Failure.PROTOCOL, "");
    balancer.dropped(dropped, third);
    assertEquals(0, member.inFlight.get());
  }

  @Test
  void a_hedge_goes_elsewhere_once_and_of_two_failures_the_last_counts() {
    Balancer balancer = balancer(Balancing.defaults().withHedge(true), "a", "b");
    for (int i = 0; i < 100; i++) {
      Attempts call = call(true);
      assertEquals(-1, balancer.hedgeAfterMicros(call));
      Attempt attempt = balancer.begin(call);
      nanos += TimeUnit.MILLISECONDS.toNanos(2);
      balancer.answered(call, attempt);
    }
    Attempts call = call(true);
    Attempt attempt = balancer.begin(call);
    assertEquals(2000, balancer.hedgeAfterMicros(call));
    Attempt hedge = balancer.hedge(call);
    assertNotNull(hedge);
    assertNotEquals(attempt.member(), hedge.member());
    assertNull(balancer.hedge(call));
    assertEquals(Balancer.WAIT, balancer.failed(call, attempt, Failure.CLOSED, ""));
    assertTrue(balancer.failed(call, hedge, Failure.CLOSED, "") >= 0);
    assertEquals(1, balancer.counters().hedges());
  }

  @Test
  void nobody_to_call_is_an_error_that_says_why() {
    Balancer balancer = balancer(Balancing.defaults());
    ConnectError none = assertThrows(ConnectError.class, () -> balancer.begin(call(true)));
    assertTrue(none.getMessage().contains("none is there"), none.getMessage());
    Instance off = new Instance("a", "a", 1, 0, List.of(), "default", 0, "", true, 0);
    balancer.read(List.of(off));
    ConnectError disabled = assertThrows(ConnectError.class, () -> balancer.begin(call(true)));
    assertTrue(disabled.getMessage().contains("of the 1"), disabled.getMessage());
    assertEquals(2, balancer.counters().failures());
  }

  @Test
  void who_moves_is_another_and_forgiven() {
    Balancer balancer = balancer(Balancing.defaults(), "a", "b");
    Attempts call = call(true);
    Attempt attempt = balancer.begin(call);
    balancer.failed(call, attempt, Failure.CLOSED, "");
    String id = attempt.member().id();
    Instance moved = new Instance(id, "elsewhere", 1, 0, List.of(), "default", 100, "", true, 0);
    balancer.read(List.of(moved));
    Member now =
        balancer.members().stream().filter(m -> m.id().equals(id)).findFirst().orElseThrow();
    assertNotEquals(attempt.member(), now);
    assertTrue(!Health.isOut(now) && Health.isOut(attempt.member()));
    balancer.probed(attempt.member(), false);
    assertEquals(1, balancer.counters().ejections());
  }

  private Balancer balancer(Balancing settings, String... ids) {
    Balancer balancer =
        new Balancer(
            "service",
            settings,
            new Wanted(VersionRange.ANY, "default", "", false),
            new SplitMix64(1),
            () -> nanos,
            events);
    balancer.connected();
    balancer.read(Arrays.stream(ids).map(id -> Rows.member(id).instance()).toList());
    return balancer;
  }

  private static Attempts call(boolean idempotent) {
    return new Attempts(idempotent, null, Deadline.after(Duration.ofSeconds(30)));
  }

  private void pass(long millis) {
    nanos += TimeUnit.MILLISECONDS.toNanos(millis);
  }
}
