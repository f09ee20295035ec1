package calculate;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The sender's role: whoever put a call into the send buffer and found nobody sending sends until
 * the buffer is empty, so that calls which are made together leave in one write. Where the socket
 * takes no more, the role is left to the reader, who waits for the socket anyway.
 */
final class Sender {
  private final ReentrantLock lock;
  private final Transport transport;
  private final SendBuffer out;

  /** Guarded by the lock: somebody has the role. */
  private boolean taken;

  /** Written by who has the role: it waits for room in the socket. */
  private volatile boolean stalled;

  Sender(ReentrantLock lock, Transport transport, SendBuffer out) {
    this.lock = lock;
    this.transport = transport;
    this.out = out;
  }

  /**
   * Takes the role if nobody has it and something is to be sent; {@link #send} follows. Under the
   * lock.
   */
  boolean take() {
    if (taken || !out.take()) {
      return false;
    }
    taken = true;
    return true;
  }

  /**
   * Sends what was taken and what joins meanwhile; false if the socket is full and the reader has
   * to go on.
   */
  boolean send() throws IOException {
    while (out.send(transport)) {
      lock.lock();
      try {
        if (!out.take()) {
          taken = false;
          return true;
        }
      } finally {
        lock.unlock();
      }
    }
    stalled = true;
    return false;
  }

  boolean isStalled() {
    return stalled;
  }

  /** Goes on after the socket was full. By the reader. */
  boolean resume() throws IOException {
    stalled = false;
    return send();
  }
}
