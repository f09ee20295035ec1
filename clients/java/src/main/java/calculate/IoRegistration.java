package calculate;

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
