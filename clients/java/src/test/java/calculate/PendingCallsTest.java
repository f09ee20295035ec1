package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import calculate.idl.Calculate;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Sequence ids are unique among those in use, for ever. */
class PendingCallsTest {
  private static final Method<Calculate.Square_result, Double> METHOD =
      new Method<>("Square", Calculate.Square_result::new, (result, server) -> 0.0);

  @Test
  void ids_are_positive_and_wrap() {
    PendingCalls pending = new PendingCalls(Integer.MAX_VALUE - 1);
    int[] expected = {Integer.MAX_VALUE - 1, Integer.MAX_VALUE, 1, 2};
    for (int id : expected) {
      Call<?, ?> call = call();
      pending.add(call);
      assertEquals(id, call.id);
      assertSame(call, pending.remove(id));
    }
  }

  @Test
  void an_id_in_use_is_skipped_after_the_wrap() {
    PendingCalls pending = new PendingCalls(1);
    Call<?, ?> old = call();
    pending.add(old);
    PendingCalls wrapped = new PendingCalls(Integer.MAX_VALUE);
    wrapped.add(call());
    Call<?, ?> one = call();
    wrapped.add(one);
    assertEquals(1, one.id);
    Set<Integer> ids = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      Call<?, ?> call = call();
      pending.add(call);
      assertTrue(ids.add(call.id) || call.id != old.id);
      pending.remove(call.id);
    }
    assertFalse(ids.contains(old.id));
  }

  @Test
  void many_calls_are_told_apart() {
    PendingCalls pending = new PendingCalls(Integer.MAX_VALUE - 500);
    Call<?, ?>[] calls = new Call<?, ?>[1000];
    for (int i = 0; i < calls.length; i++) {
      calls[i] = call();
      pending.add(calls[i]);
    }
    assertSame(calls[0], pending.oldest());
    for (Call<?, ?> call : calls) {
      assertTrue(pending.knows(call.id));
      assertSame(call, pending.remove(call.id));
      assertFalse(pending.knows(call.id));
    }
    assertEquals(0, pending.live());
    assertNull(pending.oldest());
  }

  @Test
  void an_abandoned_id_stays_in_use_until_its_reply() {
    PendingCalls pending = new PendingCalls(1);
    Call<?, ?> call = call();
    pending.add(call);
    assertTrue(pending.abandon(call));
    assertFalse(pending.abandon(call));
    assertEquals(1, pending.abandoned());
    assertTrue(pending.knows(call.id));
    assertNull(pending.remove(call.id));
    assertEquals(0, pending.abandoned());
    assertFalse(pending.knows(call.id));
  }

  @Test
  void no_reply_is_for_a_oneway_call() {
    PendingCalls pending = new PendingCalls(1);
    Call<?, ?>[] calls = new Call<?, ?>[1000];
    for (int i = 0; i < calls.length; i++) {
      calls[i] = i % 2 == 0 ? call() : oneway();
      pending.add(calls[i]);
    }
    assertEquals(calls.length, pending.live());
    for (int i = 0; i < calls.length; i++) {
      assertEquals(i % 2 == 0, pending.knows(calls[i].id));
      assertTrue(pending.abandon(calls[i]));
      assertFalse(pending.abandon(calls[i]));
    }
    assertEquals(calls.length / 2, pending.abandoned(), "only those whose reply may come");
    assertEquals(0, pending.live());
  }

  @Test
  void no_other_id_is_known() {
    PendingCalls pending = new PendingCalls(1);
    pending.add(call());
    for (int id : new int[] {0, -1, 2, 65, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      assertFalse(pending.knows(id));
    }
  }

  private static Call<?, ?> oneway() {
    return Call.blocking(
        Method.oneway("Note"), new Calculate.Square_args(), Deadline.after(Duration.ofSeconds(1)));
  }

  private static Call<?, ?> call() {
    return Call.blocking(
        METHOD, new Calculate.Square_args(), Deadline.after(Duration.ofSeconds(1)));
  }
}
