package calculate;

import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.function.Consumer;

/**
 * A connection as the I/O thread knows it. Another thread that changes what the I/O thread waits
 * for there submits this.
 */
final class IoRegistration implements IoWork {
  private static final int READS_MAX = 16;

  private final Connection connection;
  private final AsyncQueue queue;

  /** Written by the I/O thread, once. */
  private volatile SelectionKey key;

  // Used by the I/O thread alone.

  /** Whether the I/O thread is the connection's reader. */
  private boolean held;

  /** Whether the I/O thread is to look at it before it sleeps. */
  private boolean touched;

  IoRegistration(Connection connection, AsyncQueue queue) {
    this.connection = connection;
    this.queue = queue;
  }

  IoThread io() {
    return queue.io();
  }

  /** Has the I/O thread look at the connection. Of any thread. */
  void signal() {
    io().submit(this);
  }

  /** The connection has closed. Of any thread. */
  void closed() {
    if (key != null) {
      // Until the selector lets go of it, the kernel keeps its socket.
      signal();
    }
  }

  @Override
  public void takeIn() {
    if (!held && connection.isReadByIo() && !queue.isWaitingFor(connection)) {
      // The queue has gone on without it, as it took no more calls; its reader is this thread.
      io().hold(this);
    }
    touch();
    queue.look();
  }

  @Override
  public void refuse() {
    // The selector is closed, or will be.
  }

  /** Has the I/O thread look at the connection before it sleeps. */
  void touch() {
    if (!touched) {
      touched = true;
      io().touched(this);
    }
  }

  /**
   * Does what the socket is ready for. What one peer sends without an end is read in parts, so that
   * the others have their turn.
   */
  void serve(int readyOps) {
    try {
      if (connection.serve(readyOps, READS_MAX)) {
        io().submit(new Unread());
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      connection.lost(new IOException(e.toString(), e));
    }
    touch();
  }

  /** More has come, of which the socket does not tell. */
  private final class Unread implements IoWork {
    @Override
    public void takeIn() {
      if (held && !connection.isClosed()) {
        serve(SelectionKey.OP_READ);
      }
    }

    @Override
    public void refuse() {
      // The connection is closed.
    }
  }

  boolean isHeld() {
    return held;
  }

  /** The I/O thread is the connection's reader now. */
  void hold(Selector selector) {
    held = true;
    touch();
    if (key == null) {
      try {
        key = connection.channel().register(selector, 0, connection);
      } catch (ClosedChannelException e) {
        // It is released when that is seen.
      }
    }
  }

  /**
   * Gives the reader's role up if no asynchronous call is in flight. Also before new calls are put
   * there: taking the role again is when a connection that the server has closed is noticed.
   */
  void releaseIfIdle() {
    if (held && connection.releaseIfIdle()) {
      held = false;
      await(0);
    }
  }

  /** Waits for what the connection waits for; whether the selector has to let go of it. */
  boolean settle() {
    touched = false;
    if (held) {
      await(connection.wantedOps());
    }
    return key != null && connection.isClosed();
  }

  void forEach(Consumer<Call<?, ?>> action) {
    connection.forEach(action);
  }

  private void await(int ops) {
    if (key == null) {
      return;
    }
    try {
      if (key.interestOps() != ops) {
        key.interestOps(ops);
      }
    } catch (CancelledKeyException e) {
      // It has closed.
    }
  }
}
