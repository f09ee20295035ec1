package calculate.bench;

import calculate.CalculateClient;

/** This client, one blocking caller. */
final class OursBlocking implements Contestant {
  private final CalculateClient client;

  OursBlocking(String address) {
    client = CalculateClient.connect(address);
  }

  @Override
  public String name() {
    return "calculate-client";
  }

  @Override
  public int callsPerRound() {
    return 500;
  }

  @Override
  public void round(int calls) {
    for (int i = 0; i < calls; i++) {
      if (client.square(9) != 3) {
        throw new IllegalStateException("a wrong result");
      }
    }
  }

  @Override
  public void close() {
    client.close();
  }
}
