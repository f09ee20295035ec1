package calculate;

/** Where random numbers come from: the clients of all languages draw them alike. */
@FunctionalInterface
interface Randomness {
  /** 64 random bits. */
  long nextU64();

  /** 0 to n - 1, for n up to 2^32. */
  default long below(long n) {
    return ((nextU64() >>> 32) * n) >>> 32;
  }
}
