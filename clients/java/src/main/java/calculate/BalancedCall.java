package calculate;

import calculate.Attempts.Attempt;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.apache.thrift.TSerializable;

/** An asynchronous call to one of many instances, from its first attempt to its outcome. */
final class BalancedCall<T extends TSerializable, R> {
  private final BalancedClient client;
  private final Method<T, R> method;
  private final TSerializable args;
  private final Attempts call;
  private final Consumer<Runnable> completer;
  private final Outcome outcome = new Outcome();

  /** The attempts that were made. */
  private final Queue<CompletableFuture<R>> made = new ConcurrentLinkedQueue<>();

  /** Completes a future where callbacks are to run. */
  BalancedCall(
      BalancedClient client,
      Method<T, R> method,
      TSerializable args,
      Attempts call,
      Consumer<Runnable> completer) {
    this.client = client;
    this.method = method;
    this.args = args;
    this.call = call;
    this.completer = completer;
  }

  /** What the caller has: cancelling it abandons the attempts. */
  private final class Outcome extends CompletableFuture<R> {
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = super.cancel(mayInterruptIfRunning);
      if (cancelled) {
        made.forEach(attempt -> attempt.cancel(false));
      }
      return cancelled;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
      return new CompletableFuture<>();
    }
  }

  CompletableFuture<R> start() {
    tryOnce();
    long micros = outcome.isDone() ? -1 : client.balancer().hedgeAfterMicros(call);
    if (micros >= 0) {
      client.after(micros, this::hedge);
    }
    return outcome;
  }

  private void tryOnce() {
    if (outcome.isDone()) {
      return;
    }
    try {
      send(client.begin(call));
    } catch (CalculateError e) {
      fail(e);
    } finally {
      client.events().tell();
    }
  }

  private void hedge() {
    Attempt attempt = outcome.isDone() ? null : client.balancer().hedge(call);
    if (attempt != null) {
      send(attempt);
    }
    client.events().tell();
  }

  private void send(Attempt attempt) {
    Pool pool = client.pool(attempt.member());
    Pool.Lease lease = client.lease(pool);
    Method<T, R> called = method.ofVersion(attempt.member().version());
    CompletableFuture<R> future = lease.client().callAsync(called, args, attempt.deadline());
    made.add(future);
    future.whenComplete(
        (value, error) -> {
          pool.release(lease);
          ended(attempt, value, error);
        });
    if (outcome.isCancelled()) {
      future.cancel(false);
    }
  }

  private void ended(Attempt attempt, R value, Throwable error) {
    if (error instanceof CalculateError failure) {
      long micros = client.failed(call, attempt, failure);
      if (micros == Balancer.GIVE_UP) {
        fail(failure);
      } else if (micros >= 0) {
        client.after(micros, this::tryOnce);
      }
    } else if (error != null) {
      client.balancer().dropped(call, attempt);
      fail(error);
    } else {
      client.balancer().answered(call, attempt);
      completer.accept(() -> outcome.complete(value));
    }
    client.events().tell();
  }

  private void fail(Throwable error) {
    completer.accept(() -> outcome.completeExceptionally(error));
  }
}
