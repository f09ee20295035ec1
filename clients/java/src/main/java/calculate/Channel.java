package calculate;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.thrift.TSerializable;

/** What carries calls to a server: to the one that was named, or to one of many. Thread-safe. */
interface Channel extends AutoCloseable {
  /** How long a call may last that does not say so itself. */
  Duration timeout();

  /**
   * Makes a call and waits for its value.
   *
   * @param key what the call belongs to, or null
   */
  <T extends TSerializable, R> R call(
      Method<T, R> method, TSerializable args, Duration timeout, byte[] key);

  /**
   * Makes a call whose value comes later. Never throws for what goes wrong with the call: the
   * future tells it.
   */
  <T extends TSerializable, R> CompletableFuture<R> callAsync(
      Method<T, R> method, TSerializable args, Duration timeout, byte[] key);

  @Override
  void close();
}
