package calculate;

import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * How blocking callers wait for their outcomes: the one that has the reader's role on the socket,
 * the others parked. An interrupt or a passed deadline ends the one call's wait and nothing else:
 * the socket does not block, so an interrupt does not close it.
 */
final class BlockingWait {
  private final Connection connection;
  private final ReaderRole role;
  private final SocketChannel channel;
  private final IoThread io;

  /** Opened by the first caller that reads; woken and closed by others. */
  private volatile Selector selector;

  /** Until when the caller that reads waits; null while it does not. Written by it. */
  private volatile Deadline waitsUntil;

  private final Spin spin = new Spin();
  private SelectionKey key;
  private int ready;
  private final Consumer<SelectionKey> noteReady = k -> ready = k.readyOps();

  BlockingWait(Connection connection, ReaderRole role, SocketChannel channel, IoThread io) {
    this.connection = connection;
    this.role = role;
    this.channel = channel;
    this.io = io;
  }

  /**
   * Waits until the call has ended; gives it up if its deadline passes or the thread is
   * interrupted.
   */
  void await(Call<?, ?> call) {
    Thread caller = call.caller();
    while (!call.hasEnded()) {
      long left = call.deadline.leftNanos();
      if (caller.isInterrupted()) {
        connection.giveUp(call, Errors.interrupted(connection.target(), call.method.name));
      } else if (left <= 0) {
        connection.giveUp(call, Errors.timedOut(connection.target(), call));
      } else if (role.isHeldBy(caller)) {
        readFor(call);
      } else {
        LockSupport.parkNanos(this, left);
      }
    }
    if (role.isHeldBy(caller)) {
      connection.passReaderOn(call);
    }
  }

  /** Makes the caller that reads look at what has changed. */
  void wake() {
    Selector current = selector;
    if (current != null) {
      current.wakeup();
    }
  }

  /**
   * Wakes the caller that reads if its deadline has passed; else has the I/O thread look again when
   * it does.
   */
  void checkReader() {
    Deadline deadline = waitsUntil;
    if (deadline != null) {
      if (deadline.leftNanos() <= 0) {
        wake();
      } else {
        io.watch(deadline);
      }
    }
  }

  void close() {
    Selector current = selector;
    if (current != null) {
      try {
        current.close();
      } catch (IOException e) {
        // It is gone all the same.
      }
    }
  }

  /** Waits for the socket once, and does what it is ready for. */
  private void readFor(Call<?, ?> call) {
    if (spinFor(call)) {
      return;
    }
    try {
      register();
      // What a oneway call's sender wakes is the selector, which was not there before.
      if (role.ioWaits() || call.hasEnded()) {
        connection.passReaderOn(call);
        return;
      }
      ready = 0;
      waitsUntil = call.deadline;
      if (io.watch(call.deadline)) {
        selector.select(noteReady);
      } else {
        selector.select(noteReady, Math.max(1, call.deadline.leftMillis()));
      }
      waitsUntil = null;
      connection.serve(ready);
    } catch (ClosedSelectorException | CancelledKeyException e) {
      // Closed by another thread, which ends this call too.
      LockSupport.parkNanos(this, call.deadline.leftNanos());
    } catch (IOException e) {
      connection.lost(e);
    }
  }

  /** Looks for the reply for a moment, without sleeping; whether the call has ended. */
  private boolean spinFor(Call<?, ?> call) {
    if (connection.wantedOps() != SelectionKey.OP_READ || !spin.isDue()) {
      return false;
    }
    long begin = System.nanoTime();
    while (!call.hasEnded() && !role.ioWaits() && System.nanoTime() - begin < Spin.NANOS) {
      connection.serve(SelectionKey.OP_READ);
    }
    if (call.hasEnded()) {
      spin.succeeded();
      return true;
    }
    spin.failed();
    return false;
  }

  private void register() throws IOException {
    if (selector == null) {
      openSelector();
    }
    // After that, as a sender that has to wait now wakes the selector.
    int wanted = connection.wantedOps();
    if (key == null) {
      key = channel.register(selector, wanted);
    } else if (key.interestOps() != wanted) {
      key.interestOps(wanted);
    }
  }

  private void openSelector() throws IOException {
    selector = Selector.open();
    if (connection.isClosed()) {
      close();
      throw new ClosedSelectorException();
    }
  }
}
