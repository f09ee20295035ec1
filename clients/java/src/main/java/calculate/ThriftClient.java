package calculate;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.thrift.TSerializable;

/**
 * A client of any service: makes calls of described methods on a shared connection. Thread-safe.
 */
final class ThriftClient implements AutoCloseable {
  private final Options options;
  private final Connections connections;

  /** Connects at once, so that a wrong address is told where it was given. */
  ThriftClient(Target target, Options options) {
    this.options = options;
    this.connections = new Connections(target, options);
    connections.get(Deadline.after(options.timeout()), false);
  }

  Duration timeout() {
    return options.timeout();
  }

  /** Makes a call and waits for its value. */
  <T extends TSerializable, R> R call(Method<T, R> method, TSerializable args, Duration timeout) {
    Thread caller = Thread.currentThread();
    if (caller == connections.io().thread()) {
      throw new IllegalStateException(
          "a callback of an asynchronous call made a blocking call, which would wait for itself: make an asynchronous one,"
              + " or give the client an executor (Options.withExecutor)");
    }
    if (caller.isInterrupted()) {
      throw Errors.interrupted(connections.target(), method.name);
    }
    Call<T, R> call = Call.blocking(method, args, Deadline.after(Options.checked(timeout)));
    while (!connections.get(call.deadline, true).run(call)) {
      if (connections.isClosed()) {
        throw Errors.clientClosed(connections.target());
      }
    }
    return call.value();
  }

  /**
   * Makes a call whose value comes later. Never throws for what goes wrong with the call: the
   * future tells it.
   */
  <T extends TSerializable, R> CompletableFuture<R> callAsync(
      Method<T, R> method, TSerializable args, Duration timeout) {
    Deadline deadline = Deadline.after(Options.checked(timeout));
    if (connections.isClosed()) {
      return CompletableFuture.failedFuture(Errors.clientClosed(connections.target()));
    }
    Call<T, R> call = Call.asynchronous(method, args, deadline, connections.io());
    connections.io().submit(call);
    return call.future();
  }

  @Override
  public void close() {
    connections.close();
  }
}
