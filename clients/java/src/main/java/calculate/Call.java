package calculate;

import java.util.concurrent.locks.LockSupport;
import org.apache.thrift.TSerializable;

/**
 * One call, from its start to its end: of a blocking caller, who waits for the outcome, or an
 * asynchronous one, whose future is completed with it.
 */
final class Call<T extends TSerializable, R> implements IoWork, Runnable {
  final Method<T, R> method;
  final TSerializable args;
  final Deadline deadline;

  /** Who waits; null for an asynchronous call. */
  private final Thread caller;

  /** What is completed; null for a blocking call. */
  private final CallFuture<R> future;

  /** Where it waits for a connection; null for a blocking call. */
  private final AsyncQueue queue;

  /** The sequence id; 0 until the call is put on a connection. */
  int id;

  /** How many reads had brought something when the call was put on its connection. */
  long arrivalsBefore;

  /** The connection that the call was put on, for the I/O thread to find it. */
  Connection connection;

  /** The value (an R, or NOTHING) or a RuntimeException; null until the call has ended. */
  private volatile Object outcome;

  private Call(
      Method<T, R> method, TSerializable args, Deadline deadline, Thread caller, AsyncQueue queue) {
    this.method = method;
    this.args = args;
    this.deadline = deadline;
    this.caller = caller;
    this.queue = queue;
    this.future = caller == null ? new CallFuture<>(this) : null;
  }

  static <T extends TSerializable, R> Call<T, R> blocking(
      Method<T, R> method, TSerializable args, Deadline deadline) {
    return new Call<>(method, args, deadline, Thread.currentThread(), null);
  }

  static <T extends TSerializable, R> Call<T, R> asynchronous(
      Method<T, R> method, TSerializable args, Deadline deadline, AsyncQueue queue) {
    return new Call<>(method, args, deadline, null, queue);
  }

  boolean isBlocking() {
    return caller != null;
  }

  Thread caller() {
    return caller;
  }

  CallFuture<R> future() {
    return future;
  }

  boolean hasEnded() {
    return outcome != null;
  }

  /** Whether the asynchronous caller has given the call up. */
  boolean isCancelled() {
    return future.isDone();
  }

  /**
   * Ends the call, with its value (an R, or {@link Method#NOTHING}) or a RuntimeException, mostly a
   * CalculateError.
   */
  void end(Object outcome) {
    this.outcome = outcome;
    if (caller == null) {
      queue.io().complete(this);
    } else if (caller != Thread.currentThread()) {
      LockSupport.unpark(caller);
    }
  }

  /** Ends a oneway call, which was sent. By the sender: callbacks run later. */
  void sent() {
    if (caller == null) {
      outcome = Method.NOTHING;
      queue.io().submit(this);
    } else {
      end(Method.NOTHING);
    }
  }

  /** The value for the blocking caller, on its thread. The call has ended. */
  @SuppressWarnings("unchecked")
  R value() {
    Object ended = outcome;
    if (ended instanceof RuntimeException error) {
      // Made by the thread that read for all: it is the caller's stack that tells something.
      error.fillInStackTrace();
      throw error;
    }
    return ended == Method.NOTHING ? null : (R) ended;
  }

  /** Completes the future. */
  @Override
  @SuppressWarnings("unchecked")
  public void run() {
    Object ended = outcome;
    if (ended instanceof RuntimeException error) {
      future.completeExceptionally(error);
    } else {
      future.complete(ended == Method.NOTHING ? null : (R) ended);
    }
  }

  /** The I/O thread takes in that the asynchronous call is new, was cancelled or has ended. */
  @Override
  public void takeIn() {
    if (hasEnded()) {
      queue.io().finish(this);
    } else if (!isCancelled()) {
      queue.add(this);
      queue.io().include(deadline);
    } else if (connection != null) {
      connection.abandon(this);
      connection.registration().touch();
    }
  }

  @Override
  public void refuse() {
    if (hasEnded()) {
      queue.io().finish(this);
    } else {
      end(Errors.clientClosed(queue.target()));
    }
  }

  /** The asynchronous call's deadline has passed. On the I/O thread. */
  void endLate() {
    if (connection == null) {
      queue.remove(this);
      end(Errors.connectTimedOut(queue.target(), deadline));
    } else {
      connection.giveUp(this, Errors.timedOut(queue.target(), this));
      connection.registration().touch();
    }
  }

  /** The future was cancelled. */
  void cancelled() {
    queue.io().submit(this);
  }
}
