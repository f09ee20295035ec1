package calculate;

/** The random numbers of the vectors. */
final class SplitMix64 implements Randomness {
  private long state;

  SplitMix64(long seed) {
    state = seed;
  }

  @Override
  public long nextU64() {
    state += 0x9e3779b97f4a7c15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
