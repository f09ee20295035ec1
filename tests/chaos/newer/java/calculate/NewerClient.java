package calculate;

import newer.Calculate;
import newer.Number;

/** A client of the newer IDL. It stands in this package because the client's generic layer has no public door yet. */
public final class NewerClient implements AutoCloseable {
  private static final Method<Calculate.Square_result, Number> SQUARE =
      new Method<>("Square", Calculate.Square_result::new, (result, server) -> result.getSuccess(), true, "Calculate");
  private static final Method<Calculate.Cube_result, Number> CUBE =
      new Method<>("Cube", Calculate.Cube_result::new, (result, server) -> result.getSuccess(), true, "Calculate");

  private final Channel channel;

  /** Of many instances. */
  public NewerClient(String target, Options options) {
    channel = new BalancedClient(target, ServiceTarget.parse(target), options);
  }

  /** The square root. */
  public Number square(double number) {
    return channel.call(SQUARE, new Calculate.Square_args(argument(number)), channel.timeout(), null);
  }

  /** The cube root. */
  public Number cube(double number) {
    return channel.call(CUBE, new Calculate.Cube_args(argument(number)), channel.timeout(), null);
  }

  @Override
  public void close() {
    channel.close();
  }

  private static Number argument(double value) {
    return new Number(value).setComputedBy("a newer client");
  }
}
