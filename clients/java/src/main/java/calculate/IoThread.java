package calculate;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * The thread of the asynchronous calls: it puts them on a connection, reads their replies, watches
 * their deadlines and completes their futures. Calls that come while it is at something, a batch of
 * callbacks above all, leave together.
 *
 * <p>It starts with the first asynchronous call, is a daemon, and sleeps while no such call is in
 * flight.
 */
final class IoThread implements Runnable {
  private final Connections connections;
  private final Executor executor;
  private final Thread thread;
  private final WakeUp wakeUp;

  /** Calls from other threads: new, cancelled or ended. Guarded by itself, like the two flags. */
  private final ArrayDeque<Call<?, ?>> inbox = new ArrayDeque<>();

  private boolean started;
  private boolean stopped;

  /**
   * Whether this thread will look at the readers' deadlines, and then when at the latest. Written
   * under the inbox's lock.
   */
  private volatile boolean watching;

  private volatile long watchAtNanos;

  private volatile boolean someClosed;
  private volatile boolean stopping;
  private volatile CalculateError connectFailure;

  // Used by the thread alone.

  /** Calls from this thread's own callbacks. */
  private final ArrayDeque<Call<?, ?>> ownInbox = new ArrayDeque<>();

  /** Calls to be put on a connection. */
  private final ArrayDeque<Call<?, ?>> waiting = new ArrayDeque<>();

  /** Connections whose reader this thread is. */
  private final List<Connection> held = new ArrayList<>();

  /** The connection that this thread waits to become the reader of, or null. */
  private Connection requested;

  private final List<SelectionKey> ready = new ArrayList<>();
  private final Sweep sweep = new Sweep();

  IoThread(Connections connections, Executor executor) {
    this.connections = connections;
    this.executor = executor;
    this.thread = new Thread(this, "calculate-io-" + connections.target());
    this.thread.setDaemon(true);
    this.wakeUp = new WakeUp(thread);
  }

  Thread thread() {
    return thread;
  }

  void wake() {
    wakeUp.signal();
  }

  /** Takes in a new call, or one that was cancelled or has ended since. */
  void submit(Call<?, ?> call) {
    if (Thread.currentThread() == thread) {
      ownInbox.add(call);
      return;
    }
    synchronized (inbox) {
      if (!stopped) {
        inbox.add(call);
        start();
        wake();
        return;
      }
    }
    if (!call.hasEnded()) {
      call.end(Errors.clientClosed(connections.target()));
    } else {
      finish(call);
    }
  }

  /** Has this thread look at the readers' deadlines when this one passes, or before. */
  void watch(Deadline deadline) {
    if (watching && watchAtNanos - deadline.atNanos() <= 0) {
      return;
    }
    synchronized (inbox) {
      if (stopped || watching && watchAtNanos - deadline.atNanos() <= 0) {
        return;
      }
      watchAtNanos = deadline.atNanos();
      watching = true;
      start();
    }
    wake();
  }

  /** Completes the future of a call that has ended. */
  void complete(Call<?, ?> call) {
    if (Thread.currentThread() == thread) {
      finish(call);
    } else {
      submit(call);
    }
  }

  /** A connection has closed. */
  void closed() {
    someClosed = true;
    wake();
  }

  /** A connection is there, or could not be made. */
  void connected(CalculateError failure) {
    connectFailure = failure;
    wake();
  }

  /** Lets the thread end after it has ended all calls; the connections are closed already. */
  void stop() {
    synchronized (inbox) {
      stopping = true;
      stopped |= !started;
    }
    wake();
  }

  @Override
  public void run() {
    try {
      while (!stopping) {
        turn();
      }
    } catch (IOException | RuntimeException | Error e) {
      connections.close();
      throw new IllegalStateException(
          "the I/O thread of a client of " + connections.target() + " failed", e);
    } finally {
      end();
    }
  }

  private void start() {
    if (!started) {
      started = true;
      thread.start();
    }
  }

  private void turn() throws IOException {
    takeInbox();
    failUnconnected();
    releaseIdle();
    takeGrantedRole();
    putWaiting();
    if (sweep.isDue()) {
      endLate();
    }
    wakeLateReaders();
    if (someClosed) {
      someClosed = false;
      wakeUp.letGo();
    }
    releaseIdle();
    if (ownInbox.isEmpty()) {
      sleep();
    }
    for (SelectionKey key : ready) {
      serve(key);
    }
    ready.clear();
    // A callback may have interrupted this thread, and then no wait would wait.
    Thread.interrupted();
  }

  private void takeInbox() {
    synchronized (inbox) {
      ownInbox.addAll(inbox);
      inbox.clear();
    }
    Call<?, ?> call;
    while ((call = ownInbox.poll()) != null) {
      if (call.hasEnded()) {
        finish(call);
      } else if (call.isCancelled()) {
        if (call.connection != null) {
          call.connection.abandon(call);
        }
      } else {
        waiting.add(call);
        sweep.include(call.deadline);
      }
    }
  }

  private void failUnconnected() {
    CalculateError failure = connectFailure;
    connectFailure = null;
    if (failure instanceof ConnectError) {
      endAll(waiting, failure);
    }
  }

  private void takeGrantedRole() throws IOException {
    if (requested != null && (requested.isReadByIo() || requested.isClosed())) {
      hold(requested);
      requested = null;
    }
  }

  private void putWaiting() throws IOException {
    while (!waiting.isEmpty() && requested == null) {
      Connection connection = connections.current();
      if (connection == null) {
        connections.connectInBackground(waiting.peekLast().deadline, this);
        return;
      }
      if (held.contains(connection) || takeRole(connection)) {
        connection.runAll(waiting);
      }
    }
  }

  private boolean takeRole(Connection connection) throws IOException {
    if (connection.becomeReader()) {
      hold(connection);
      return true;
    }
    if (connection.isUsable()) {
      requested = connection;
    }
    return false;
  }

  private void hold(Connection connection) throws IOException {
    held.add(connection);
    if (connection.channel().isOpen() && connection.channel().keyFor(wakeUp.selector()) == null) {
      connection.channel().register(wakeUp.selector(), 0, connection);
    }
  }

  /**
   * Lets go of connections on which no asynchronous call is in flight. Before new calls are put
   * there too: taking the role again is when a connection that the server has closed is noticed.
   */
  private void releaseIdle() throws IOException {
    for (Iterator<Connection> each = held.iterator(); each.hasNext(); ) {
      Connection connection = each.next();
      if (connection.releaseIfIdle()) {
        each.remove();
        await(connection, 0);
      }
    }
  }

  private void await(Connection connection, int ops) throws IOException {
    SelectionKey key = connection.channel().keyFor(wakeUp.selector());
    if (key != null && key.isValid() && key.interestOps() != ops) {
      key.interestOps(ops);
    }
  }

  private void wakeLateReaders() {
    if (watching && watchAtNanos - System.nanoTime() <= 0) {
      synchronized (inbox) {
        watching = false;
      }
      // A reader says first until when it waits and then looks at `watching`; so one of the two
      // sees the other.
      connections.forEach(Connection::checkReader);
    }
  }

  private void sleep() throws IOException {
    long millis = sweep.sleepMillis();
    if (watching) {
      long watch = TimeUnit.NANOSECONDS.toMillis(Math.max(0, watchAtNanos - System.nanoTime())) + 1;
      millis = millis == 0 ? watch : Math.min(millis, watch);
    }
    if (held.isEmpty()) {
      wakeUp.park(millis);
    } else {
      for (Connection connection : held) {
        await(connection, connection.wantedOps());
      }
      wakeUp.select(ready::add, millis);
    }
  }

  private void serve(SelectionKey key) {
    if (key.isValid()) {
      ((Connection) key.attachment()).serve(key.readyOps());
    }
  }

  private void endLate() {
    List<Call<?, ?>> late =
        sweep.look(
            action -> {
              waiting.forEach(action);
              held.forEach(connection -> connection.forEach(action));
            });
    for (Call<?, ?> call : late) {
      if (call.connection == null) {
        waiting.remove(call);
        call.end(Errors.connectTimedOut(connections.target(), call.deadline));
      } else {
        call.connection.giveUp(call, Errors.timedOut(connections.target(), call));
      }
    }
  }

  private void finish(Call<?, ?> call) {
    try {
      executor.execute(call);
    } catch (RejectedExecutionException e) {
      call.run();
    }
  }

  private void endAll(ArrayDeque<Call<?, ?>> calls, CalculateError why) {
    Call<?, ?> call;
    while ((call = calls.poll()) != null) {
      call.end(why);
    }
  }

  private void end() {
    synchronized (inbox) {
      stopped = true;
    }
    takeInbox();
    endAll(waiting, Errors.clientClosed(connections.target()));
    takeInbox();
    endAll(waiting, Errors.clientClosed(connections.target()));
    try {
      wakeUp.close();
    } catch (IOException e) {
      // It is gone all the same.
    }
  }
}
