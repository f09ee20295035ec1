package calculate;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.thrift.TSerializable;

/**
 * A client of any service: makes calls of described methods on a shared connection. Thread-safe.
 */
final class ThriftClient implements Channel {
  private final Options options;
  private final Connections connections;

  /** This client's own; null if it shares one, whose owner stops it. */
  private final IoThread ownIo;

  /** Connects at once, so that a wrong address is told where it was given. */
  ThriftClient(Target target, Options options) {
    this.options = options;
    this.ownIo = new IoThread(target.toString(), options.executor(), this::close);
    this.connections = new Connections(target, options, ownIo, () -> {});
    connect(Deadline.after(options.timeout()));
  }

  /**
   * One that connects with its first call.
   *
   * @param io whom it shares with others
   * @param atConnect run after each connection that is made
   */
  ThriftClient(Target target, Options options, IoThread io, Runnable atConnect) {
    this.options = options;
    this.ownIo = null;
    this.connections = new Connections(target, options, io, atConnect);
  }

  /** Connects if there is no connection. */
  void connect(Deadline deadline) {
    connections.get(deadline, false);
  }

  @Override
  public Duration timeout() {
    return options.timeout();
  }

  @Override
  public <T extends TSerializable, R> R call(
      Method<T, R> method, TSerializable args, Duration timeout, byte[] key) {
    return call(method, args, Deadline.after(Options.checked(timeout)));
  }

  <T extends TSerializable, R> R call(Method<T, R> method, TSerializable args, Deadline deadline) {
    Thread caller = Thread.currentThread();
    if (caller == connections.io().thread()) {
      throw new IllegalStateException(
          "a callback of an asynchronous call made a blocking call, which would wait for itself: make an asynchronous one,"
              + " or give the client an executor (Options.withExecutor)");
    }
    if (caller.isInterrupted()) {
      throw Errors.interrupted(connections.target(), method.name);
    }
    Call<T, R> call = Call.blocking(method, args, deadline);
    while (!connections.get(call.deadline, true).run(call)) {
      if (connections.isClosed()) {
        throw Errors.clientClosed(connections.target());
      }
    }
    return call.value();
  }

  @Override
  public <T extends TSerializable, R> CompletableFuture<R> callAsync(
      Method<T, R> method, TSerializable args, Duration timeout, byte[] key) {
    return callAsync(method, args, Deadline.after(Options.checked(timeout)));
  }

  <T extends TSerializable, R> CompletableFuture<R> callAsync(
      Method<T, R> method, TSerializable args, Deadline deadline) {
    if (connections.isClosed()) {
      return CompletableFuture.failedFuture(Errors.clientClosed(connections.target()));
    }
    Call<T, R> call = Call.asynchronous(method, args, deadline, connections.queue());
    connections.io().submit(call);
    return call.future();
  }

  @Override
  public void close() {
    connections.close();
    if (ownIo != null) {
      ownIo.stop();
    }
  }
}
