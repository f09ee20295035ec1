package calculate.bench;

import calculate.CalculateClient;

/** This client, 256 calls in flight on its one connection: each completion makes the next call. */
final class OursAsync implements Contestant {
  static final int IN_FLIGHT = 256;

  private final CalculateClient client;

  OursAsync(String address) {
    client = CalculateClient.connect(address);
  }

  @Override
  public String name() {
    return "calculate-client";
  }

  @Override
  public int callsPerRound() {
    return 20_000;
  }

  @Override
  public void round(int calls) throws Exception {
    Countdown countdown = new Countdown(calls);
    for (int i = 0; i < IN_FLIGHT && countdown.start(); i++) {
      call(countdown);
    }
    countdown.await();
  }

  private void call(Countdown countdown) {
    client
        .squareAsync(9)
        .whenComplete(
            (root, error) -> {
              countdown.end(error == null && root == 3);
              if (countdown.start()) {
                call(countdown);
              }
            });
  }

  @Override
  public void close() {
    client.close();
  }
}
