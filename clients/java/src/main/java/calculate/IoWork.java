package calculate;

/** Something that the I/O thread is to look at. */
interface IoWork {
  /** Looks at it. On the I/O thread. */
  void takeIn();

  /** The I/O thread has ended, and will not look at it. On any thread. */
  void refuse();
}
