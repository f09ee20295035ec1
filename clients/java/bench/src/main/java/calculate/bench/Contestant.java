package calculate.bench;

/** One side of a comparison. */
interface Contestant extends AutoCloseable {
  String name();

  /** How many calls a round makes: enough for about 100 ms. */
  int callsPerRound();

  /** Makes so many calls and checks their results. */
  void round(int calls) throws Exception;

  @Override
  void close() throws Exception;
}
