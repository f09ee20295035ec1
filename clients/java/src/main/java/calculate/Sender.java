package calculate;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The sender's role: whoever put a call into the send buffer and found nobody sending sends until
 * the buffer is empty, so that calls which are made together leave in one write. Where the socket
 * takes no more, the role is left to the reader, who waits for the socket anyway. Oneway calls end
 * here.
 */
final class Sender {
  private final ReentrantLock lock;
  private final Transport transport;
  private final SendBuffer out;

  /** Guarded by the lock. */
  private final PendingCalls pending;

  private final Runnable atSent;

  /** Oneway calls in the buffer, in their order; guarded by the lock, as is the next. */
  private final ArrayDeque<Call<?, ?>> oneway = new ArrayDeque<>();

  /** How many of them are being sent. */
  private int leaving;

  /** Guarded by the lock: somebody has the role. */
  private boolean taken;

  /** Written by who has the role: it waits for room in the socket. */
  private volatile boolean stalled;

  /**
   * Sends for a connection.
   *
   * @param pending the connection's calls, guarded by the lock
   * @param atSent run when oneway calls have ended
   */
  Sender(
      ReentrantLock lock,
      Transport transport,
      SendBuffer out,
      PendingCalls pending,
      Runnable atSent) {
    this.lock = lock;
    this.transport = transport;
    this.out = out;
    this.pending = pending;
    this.atSent = atSent;
  }

  /** A oneway call has joined the buffer: it ends when it was sent. Under the lock. */
  void endWhenSent(Call<?, ?> call) {
    oneway.add(call);
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
    leaving = oneway.size();
    return true;
  }

  /**
   * Sends what was taken and what joins meanwhile; false if the socket is full and the reader has
   * to go on.
   */
  boolean send() throws IOException {
    while (out.send(transport)) {
      if (!takeNext()) {
        return true;
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

  /** The connection has closed, and ends its calls. Under the lock. */
  void close() {
    oneway.clear();
    leaving = 0;
  }

  /** All that was taken has been sent: takes more, or gives up the role. */
  private boolean takeNext() {
    List<Call<?, ?>> sent;
    boolean more;
    lock.lock();
    try {
      sent = leaving == 0 ? null : takeSent();
      taken = false;
      more = take();
    } finally {
      lock.unlock();
    }
    if (sent != null) {
      sent.forEach(Call::sent);
      atSent.run();
    }
    return more;
  }

  /** The oneway calls that have left, but for those that were given up meanwhile. */
  private List<Call<?, ?>> takeSent() {
    List<Call<?, ?>> sent = new ArrayList<>(leaving);
    for (; leaving > 0; leaving--) {
      Call<?, ?> call = oneway.remove();
      if (pending.abandon(call)) {
        sent.add(call);
      }
    }
    return sent;
  }
}
