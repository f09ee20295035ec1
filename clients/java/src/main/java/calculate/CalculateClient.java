package calculate;

import calculate.idl.Calculate;
import calculate.idl.Number;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.thrift.TSerializable;

/**
 * A client of the Calculate service. One is enough for a program: it is thread-safe, and all calls
 * share one connection, on which many are in flight at the same time.
 *
 * <pre>{@code
 * try (CalculateClient client = CalculateClient.connect("127.0.0.1:9090")) {
 *   double root = client.square(9);                        // 3.0: Square is the square ROOT
 *   client.calAsync(9).thenAccept(System.out::println);    // 81.0: Cal is the square
 * }
 * }</pre>
 *
 * <p>Every call has one deadline, {@link Options#timeout()} from its start unless it says
 * otherwise, over connecting, sending and waiting together. A connection that was lost is replaced
 * by the next call; a client of one server sends nothing twice.
 *
 * <p><b>Many instances.</b> With a target that is a list, {@code dns://} or {@code zk://} the
 * client chooses an instance for each call ({@link Balancing}), leaves those alone that fail, and
 * makes a call that failed once more elsewhere: Square and Cal may be carried out twice without
 * harm.
 *
 * <p>Every failure is a {@link CalculateError}: thrown by blocking calls, what the future of an
 * asynchronous call is completed with (so {@code get} and {@code join} wrap it, as they wrap
 * everything).
 *
 * <p><b>TLS</b> is what {@link Options#withTls} gives; without it, connections are plain.
 *
 * <p><b>Interrupts.</b> A blocking caller that is interrupted gets a CalculateError whose cause is
 * an InterruptedException and stays interrupted; its call is abandoned, the calls of other threads
 * are not touched.
 *
 * <p><b>Callbacks</b> of asynchronous calls run on the client's one I/O thread, or where {@link
 * Options#withExecutor} says. A slow callback on the I/O thread holds every asynchronous call up,
 * and blocking calls made meanwhile too; a blocking call there is refused with an
 * IllegalStateException. Calls made by callbacks leave together. The client does not bound how many
 * calls are in flight: whoever makes asynchronous calls in a loop has to.
 *
 * <p>Specification: {@code idl/calculate.thrift}.
 */
public final class CalculateClient implements AutoCloseable {
  private static final String SERVICE = "Calculate";
  private static final Method<Calculate.Square_result, Double> SQUARE =
      new Method<>(
          "Square", Calculate.Square_result::new, CalculateClient::squareValue, true, SERVICE);

  private static final Method<Calculate.Cal_result, Double> CAL =
      new Method<>(
          "Cal",
          Calculate.Cal_result::new,
          (result, server) -> result.getSuccess() == null ? null : result.getSuccess().getValue(),
          true,
          SERVICE);

  private final Channel channel;

  private CalculateClient(Channel channel) {
    this.channel = channel;
  }

  /**
   * Connects with the {@linkplain Options#defaults() defaults}.
   *
   * @param target {@code HOST:PORT}, {@code [IPv6]:PORT}, {@code unix:/path}, {@code
   *     HOST:PORT,HOST:PORT}, {@code dns://NAME:PORT} or {@code zk://HOST:PORT/BASE/SERVICE}
   * @return a client, to be closed by the caller
   * @throws IllegalArgumentException if the target is anything else
   * @throws ConnectError if nobody takes the connection
   * @throws DeadlineExceeded if connecting takes longer than the timeout
   */
  public static CalculateClient connect(String target) {
    return connect(target, Options.defaults());
  }

  /**
   * Connects.
   *
   * @param target {@code HOST:PORT}, {@code [IPv6]:PORT}, {@code unix:/path}, {@code
   *     HOST:PORT,HOST:PORT}, {@code dns://NAME:PORT} or {@code zk://HOST:PORT/BASE/SERVICE}
   * @param options what to do otherwise than by default
   * @return a client, to be closed by the caller
   * @throws IllegalArgumentException if the target is anything else, or TLS does not know what the
   *     server is called
   * @throws ConnectError if nobody takes the connection, or the TLS handshake fails: it says which
   *     check did, and what to do
   * @throws DeadlineExceeded if connecting takes longer than the timeout
   */
  public static CalculateClient connect(String target, Options options) {
    ServiceTarget parsed = ServiceTarget.parse(target);
    return new CalculateClient(
        parsed instanceof ServiceTarget.Direct direct
            ? new ThriftClient(direct.server(), options)
            : new BalancedClient(target, parsed, options));
  }

  /**
   * The principal SQUARE ROOT of the number: the IDL's {@code Square}, whose name is not what it
   * computes. Correctly rounded; NaN gives NaN, infinity gives infinity, -0.0 gives -0.0.
   *
   * @param number the radicand
   * @return its square root
   * @throws DomainError if the number is negative
   * @throws CalculateError if the call fails otherwise
   */
  public double square(double number) {
    return square(number, channel.timeout());
  }

  /**
   * The principal SQUARE ROOT of the number, as {@link #square(double)}.
   *
   * @param number the radicand
   * @param timeout of this call, instead of the client's
   * @return its square root
   * @throws DomainError if the number is negative
   * @throws CalculateError if the call fails otherwise
   */
  public double square(double number, Duration timeout) {
    return channel.call(SQUARE, new Calculate.Square_args(new Number(number)), timeout, null);
  }

  /**
   * The principal SQUARE ROOT of the number, as {@link #square(double)}.
   *
   * @param number the radicand
   * @param options of this call
   * @return its square root
   * @throws DomainError if the number is negative
   * @throws CalculateError if the call fails otherwise
   */
  public double square(double number, CallOptions options) {
    return channel.call(
        SQUARE,
        new Calculate.Square_args(new Number(number)),
        timeout(options),
        options.keyBytes());
  }

  /**
   * The principal SQUARE ROOT of the number, later.
   *
   * @param number the radicand
   * @return completed with its square root, a {@link DomainError} if the number is negative, or
   *     another {@link CalculateError}; cancelling it abandons the call
   */
  public CompletableFuture<Double> squareAsync(double number) {
    return squareAsync(number, channel.timeout());
  }

  /**
   * The principal SQUARE ROOT of the number, later.
   *
   * @param number the radicand
   * @param timeout of this call, instead of the client's
   * @return completed with its square root, a {@link DomainError} if the number is negative, or
   *     another {@link CalculateError}; cancelling it abandons the call
   */
  public CompletableFuture<Double> squareAsync(double number, Duration timeout) {
    return channel.callAsync(SQUARE, new Calculate.Square_args(new Number(number)), timeout, null);
  }

  /**
   * The principal SQUARE ROOT of the number, later.
   *
   * @param number the radicand
   * @param options of this call
   * @return completed with its square root, or with a {@link CalculateError}; cancelling it
   *     abandons the call
   */
  public CompletableFuture<Double> squareAsync(double number, CallOptions options) {
    return channel.callAsync(
        SQUARE,
        new Calculate.Square_args(new Number(number)),
        timeout(options),
        options.keyBytes());
  }

  /**
   * The square of the number, number * number: the IDL's {@code Cal}. NaN gives NaN; a result too
   * large gives infinity.
   *
   * @param number the base
   * @return its square
   * @throws CalculateError if the call fails
   */
  public double cal(double number) {
    return cal(number, channel.timeout());
  }

  /**
   * The square of the number, as {@link #cal(double)}.
   *
   * @param number the base
   * @param timeout of this call, instead of the client's
   * @return its square
   * @throws CalculateError if the call fails
   */
  public double cal(double number, Duration timeout) {
    return channel.call(CAL, new Calculate.Cal_args(new Number(number)), timeout, null);
  }

  /**
   * The square of the number, as {@link #cal(double)}.
   *
   * @param number the base
   * @param options of this call
   * @return its square
   * @throws CalculateError if the call fails
   */
  public double cal(double number, CallOptions options) {
    return channel.call(
        CAL, new Calculate.Cal_args(new Number(number)), timeout(options), options.keyBytes());
  }

  /**
   * The square of the number, later.
   *
   * @param number the base
   * @return completed with its square, or with a {@link CalculateError}; cancelling it abandons the
   *     call
   */
  public CompletableFuture<Double> calAsync(double number) {
    return calAsync(number, channel.timeout());
  }

  /**
   * The square of the number, later.
   *
   * @param number the base
   * @param timeout of this call, instead of the client's
   * @return completed with its square, or with a {@link CalculateError}; cancelling it abandons the
   *     call
   */
  public CompletableFuture<Double> calAsync(double number, Duration timeout) {
    return channel.callAsync(CAL, new Calculate.Cal_args(new Number(number)), timeout, null);
  }

  /**
   * The square of the number, later.
   *
   * @param number the base
   * @param options of this call
   * @return completed with its square, or with a {@link CalculateError}; cancelling it abandons the
   *     call
   */
  public CompletableFuture<Double> calAsync(double number, CallOptions options) {
    return channel.callAsync(
        CAL, new Calculate.Cal_args(new Number(number)), timeout(options), options.keyBytes());
  }

  /**
   * Any method of any IDL.
   *
   * @param <R> what the method gives
   * @param method which
   * @param args its generated {@code X_args}
   * @return the value; null for a method without one. A oneway call is over when it was sent: what
   *     becomes of it is not known
   * @throws DeclaredError if the server throws an exception that the IDL declares
   * @throws CalculateError if the call fails otherwise
   * @throws IllegalArgumentException if the arguments lack something or are too long
   */
  public <R> R call(Method<?, R> method, TSerializable args) {
    return channel.call(method, args, channel.timeout(), null);
  }

  /**
   * Any method of any IDL, as {@link #call(Method, TSerializable)}.
   *
   * @param <R> what the method gives
   * @param method which
   * @param args its generated {@code X_args}
   * @param options of this call
   * @return the value; null for a method without one
   * @throws DeclaredError if the server throws an exception that the IDL declares
   * @throws CalculateError if the call fails otherwise
   * @throws IllegalArgumentException if the arguments lack something or are too long
   */
  public <R> R call(Method<?, R> method, TSerializable args, CallOptions options) {
    return channel.call(method, args, timeout(options), options.keyBytes());
  }

  /**
   * Any method of any IDL, later.
   *
   * @param <R> what the method gives
   * @param method which
   * @param args its generated {@code X_args}
   * @return completed with what {@link #call(Method, TSerializable)} would return or throw;
   *     cancelling it abandons the call
   */
  public <R> CompletableFuture<R> callAsync(Method<?, R> method, TSerializable args) {
    return channel.callAsync(method, args, channel.timeout(), null);
  }

  /**
   * Any method of any IDL, later.
   *
   * @param <R> what the method gives
   * @param method which
   * @param args its generated {@code X_args}
   * @param options of this call
   * @return completed with what {@link #call(Method, TSerializable)} would return or throw;
   *     cancelling it abandons the call
   */
  public <R> CompletableFuture<R> callAsync(
      Method<?, R> method, TSerializable args, CallOptions options) {
    return channel.callAsync(method, args, timeout(options), options.keyBytes());
  }

  /**
   * What has happened so far, of a client of many instances.
   *
   * @return the counters, or nothing for a client of one server
   */
  public Optional<BalancingCounters> counters() {
    return channel instanceof BalancedClient balanced
        ? Optional.of(balanced.counters())
        : Optional.empty();
  }

  /**
   * Closes the connection, or all of them. Calls in flight fail with {@link ConnectionClosed}, and
   * so does every later call. A second time it does nothing.
   */
  @Override
  public void close() {
    channel.close();
  }

  private Duration timeout(CallOptions options) {
    return options.timeout().orElse(channel.timeout());
  }

  private static Double squareValue(Calculate.Square_result result, Target server) {
    if (result.getSuccess() != null) {
      return result.getSuccess().getValue();
    }
    if (result.getError() == null) {
      return null;
    }
    String text = result.getError().getMessage();
    throw new DomainError(
        OneLine.of(text)
            + " (value "
            + result.getError().getValue()
            + ", refused by "
            + server
            + ")",
        text,
        result.getError().getValue(),
        result.getError());
  }
}
