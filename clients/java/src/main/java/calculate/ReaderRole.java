package calculate;

import java.util.concurrent.locks.LockSupport;

/**
 * The reader's role: one thread reads for all whose calls are in flight. The I/O thread has it
 * while asynchronous calls are in flight; else a blocking caller has it, until its own reply has
 * come. Written under the connection's lock.
 */
final class ReaderRole {
  private final IoRegistration registration;
  private final Thread io;

  private volatile Thread reader;

  /**
   * The I/O thread waits for the role: a blocking caller passes it on to nobody else, and at once.
   */
  private volatile boolean ioWaits;

  ReaderRole(IoRegistration registration) {
    this.registration = registration;
    this.io = registration.io().thread();
  }

  boolean isFree() {
    return reader == null;
  }

  boolean isHeldBy(Thread thread) {
    return reader == thread;
  }

  boolean isHeldByIo() {
    return reader == io;
  }

  boolean ioWaits() {
    return ioWaits;
  }

  void takeIfFree(Thread thread) {
    if (reader == null) {
      reader = thread;
    }
  }

  /** Whether the I/O thread has the role now; if not, it is woken when it has got it. */
  boolean takeForIo() {
    takeIfFree(io);
    ioWaits = reader != io;
    return !ioWaits;
  }

  /** Makes the reader look at what has changed, if it is another thread than this one. */
  void wakeReader(BlockingWait blocking) {
    Thread current = reader;
    if (current == io) {
      registration.signal();
    } else if (current != null && current != Thread.currentThread()) {
      blocking.wake();
    }
  }

  /**
   * Gives the role up, to the I/O thread if it waits, else to the blocking caller given, or to
   * nobody if that is null.
   */
  void passOn(Thread next) {
    if (ioWaits) {
      ioWaits = false;
      reader = io;
      registration.signal();
      return;
    }
    reader = next;
    LockSupport.unpark(next);
  }
}
