package calculate;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The connections to one server: the current one, which takes new calls, and retired ones that wait
 * for their last replies. One that is lost or retired is replaced by the next call.
 */
final class Connections {
  private final Target target;
  private final Options options;
  private final IoThread io;
  private final Runnable atConnect;
  private final AsyncQueue queue;

  /** Held by the thread that connects. */
  private final ReentrantLock connecting = new ReentrantLock();

  private final AtomicBoolean connectingInBackground = new AtomicBoolean();
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();

  private volatile Connection current;
  private volatile boolean closed;

  Connections(Target target, Options options, IoThread io, Runnable atConnect) {
    this.target = target;
    this.options = options;
    this.io = io;
    this.atConnect = atConnect;
    this.queue = new AsyncQueue(this, io);
    io.add(this);
  }

  Target target() {
    return target;
  }

  IoThread io() {
    return io;
  }

  /** The asynchronous calls that wait for a connection. */
  AsyncQueue queue() {
    return queue;
  }

  boolean isClosed() {
    return closed;
  }

  /** The connection that takes new calls, or null if one has to be made. */
  Connection current() {
    Connection connection = current;
    return connection != null && connection.isUsable() ? connection : null;
  }

  /**
   * The connection that takes new calls, made if there is none.
   *
   * @param fresh as the connection's constructor takes it
   */
  Connection get(Deadline deadline, boolean fresh) {
    Connection connection = current();
    if (connection != null) {
      return connection;
    }
    lockConnecting(deadline);
    try {
      if (closed) {
        throw Errors.clientClosed(target);
      }
      connection = current();
      return connection != null ? connection : connect(deadline, fresh);
    } finally {
      connecting.unlock();
    }
  }

  /**
   * Has a thread of its own make a connection, unless one is at it; the queue is told how that
   * ended.
   */
  void connectInBackground(Deadline deadline) {
    if (!connectingInBackground.compareAndSet(false, true)) {
      return;
    }
    Thread thread =
        new Thread(
            () -> {
              CalculateError failure = null;
              try {
                get(deadline, true);
              } catch (CalculateError e) {
                failure = e;
              } catch (RuntimeException | OutOfMemoryError e) {
                failure = Errors.connectFailed(target, e);
              } finally {
                connectingInBackground.set(false);
                queue.connected(failure);
              }
            },
            "calculate-connect-" + target);
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      connectingInBackground.set(false);
      queue.connected(Errors.connectFailed(target, e));
    }
  }

  void forEach(Consumer<Connection> action) {
    open.forEach(action);
  }

  /** Closes all; what is in flight ends with ConnectionClosed. */
  void close() {
    closed = true;
    for (Connection connection : open) {
      connection.close(Errors.clientClosed(target));
    }
    io.remove(this);
  }

  private void lockConnecting(Deadline deadline) {
    try {
      if (!connecting.tryLock(Math.max(0, deadline.leftNanos()), TimeUnit.NANOSECONDS)) {
        throw Errors.connectTimedOut(target, deadline);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Errors.interrupted(target, "connecting");
    }
  }

  private Connection connect(Deadline deadline, boolean fresh) {
    Transport transport = Connector.connect(target, options.tls(), deadline);
    Connection connection = new Connection(transport, target, options, queue, fresh, this::ended);
    open.add(connection);
    current = connection;
    atConnect.run();
    if (closed) {
      connection.close(Errors.clientClosed(target));
      throw Errors.clientClosed(target);
    }
    return connection;
  }

  private void ended(Connection connection) {
    open.remove(connection);
    connection.registration().closed();
  }
}
