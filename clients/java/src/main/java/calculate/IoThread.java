package calculate;

import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * The thread of a client's asynchronous calls, to one server or to many: it puts them on
 * connections, reads their replies, watches their deadlines and completes their futures. Calls that
 * come while it is at something, a batch of callbacks above all, leave together.
 *
 * <p>It starts with the first asynchronous call, is a daemon, and sleeps while no such call is in
 * flight. What it does in a turn depends on the connections at which something happens, not on how
 * many there are.
 */
final class IoThread implements Runnable {
  private final String peer;
  private final Executor executor;
  private final Runnable atFailure;
  private final Thread thread;
  private final WakeUp wakeUp;

  /** To each of the servers. Of any thread. */
  private final Set<Connections> all = ConcurrentHashMap.newKeySet();

  /** What other threads have submitted. Guarded by itself, like the two flags. */
  private final ArrayDeque<IoWork> inbox = new ArrayDeque<>();

  private boolean started;
  private boolean stopped;

  /**
   * Whether this thread will look at the readers' deadlines, and then when at the latest. Written
   * under the inbox's lock.
   */
  private volatile boolean watching;

  private volatile long watchAtNanos;

  private volatile boolean stopping;

  // Used by the thread alone.

  /** What this thread's own callbacks have submitted. */
  private final ArrayDeque<IoWork> ownInbox = new ArrayDeque<>();

  /** Whose calls may be put on a connection. */
  private final ArrayDeque<AsyncQueue> due = new ArrayDeque<>();

  /** Connections whose reader this thread is. */
  private final Set<IoRegistration> held = new HashSet<>();

  /** Those at which something has changed. */
  private final ArrayList<IoRegistration> touched = new ArrayList<>();

  private final List<SelectionKey> ready = new ArrayList<>();
  private final Sweep sweep = new Sweep();

  /**
   * A thread that is not started yet.
   *
   * @param peer who is called, for the thread's name
   * @param executor runs completions
   * @param atFailure closes the client, which without this thread is none
   */
  IoThread(String peer, Executor executor, Runnable atFailure) {
    this.peer = peer;
    this.executor = executor;
    this.atFailure = atFailure;
    this.thread = new Thread(this, "calculate-io-" + peer);
    this.thread.setDaemon(true);
    this.wakeUp = new WakeUp(thread);
  }

  Thread thread() {
    return thread;
  }

  /** Connections to one more server. */
  void add(Connections connections) {
    all.add(connections);
  }

  /** They are closed; their asynchronous calls that wait for a connection end. */
  void remove(Connections connections) {
    all.remove(connections);
    synchronized (inbox) {
      if (!started) {
        return;
      }
    }
    submit(connections.queue());
  }

  /** Takes in a call that is new, was cancelled or has ended, or what has changed. */
  void submit(IoWork work) {
    if (Thread.currentThread() == thread) {
      ownInbox.add(work);
      return;
    }
    synchronized (inbox) {
      if (!stopped) {
        inbox.add(work);
        start();
        wakeUp.signal();
        return;
      }
    }
    work.refuse();
  }

  /**
   * Has this thread look at the readers' deadlines when this one passes, or before; false if it has
   * ended.
   */
  boolean watch(Deadline deadline) {
    if (watching && watchAtNanos - deadline.atNanos() <= 0 && !stopping) {
      return true;
    }
    synchronized (inbox) {
      if (stopping) {
        return false;
      }
      if (watching && watchAtNanos - deadline.atNanos() <= 0) {
        return true;
      }
      watchAtNanos = deadline.atNanos();
      watching = true;
      start();
    }
    wakeUp.signal();
    return true;
  }

  /** Completes the future of a call that has ended. */
  void complete(Call<?, ?> call) {
    if (Thread.currentThread() == thread) {
      finish(call);
    } else {
      submit(call);
    }
  }

  /** Closes all connections, and lets the thread end after it has ended all calls. */
  void stop() {
    all.forEach(Connections::close);
    synchronized (inbox) {
      stopping = true;
      stopped |= !started;
    }
    wakeUp.signal();
  }

  @Override
  public void run() {
    try {
      while (!stopping) {
        turn();
      }
    } catch (IOException | RuntimeException | Error e) {
      atFailure.run();
      throw new IllegalStateException("the I/O thread of a client of " + peer + " failed", e);
    } finally {
      end();
    }
  }

  // Of the thread itself, for what it takes in.

  void due(AsyncQueue queue) {
    due.add(queue);
  }

  void touched(IoRegistration registration) {
    touched.add(registration);
  }

  /** Makes sure that connections can be held, before any is to be. */
  void prepareToHold() throws IOException {
    wakeUp.open();
  }

  /** This thread is the connection's reader now, for which it was prepared. */
  void hold(IoRegistration registration) {
    registration.hold(wakeUp.selector());
    held.add(registration);
  }

  /** A call has a deadline to be watched. */
  void include(Deadline deadline) {
    sweep.include(deadline);
  }

  /** Completes the future of a call that has ended, where that is to be done. */
  void finish(Call<?, ?> call) {
    try {
      executor.execute(call);
    } catch (RejectedExecutionException e) {
      call.run();
    }
  }

  private void start() {
    if (!started) {
      thread.start();
      started = true;
    }
  }

  private void turn() throws IOException {
    takeInbox();
    releaseIdle();
    AsyncQueue queue;
    while ((queue = due.poll()) != null) {
      queue.putOrFail();
    }
    if (sweep.isDue()) {
      endLate();
    }
    wakeLateReaders();
    settle();
    if (ownInbox.isEmpty()) {
      sleep();
    } else if (!held.isEmpty()) {
      wakeUp.poll(ready::add);
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
    IoWork work;
    while ((work = ownInbox.poll()) != null) {
      work.takeIn();
    }
  }

  private void releaseIdle() {
    for (IoRegistration registration : touched) {
      registration.releaseIfIdle();
      if (!registration.isHeld()) {
        held.remove(registration);
      }
    }
  }

  /** Waits at each connection for what it has to wait for now. */
  private void settle() throws IOException {
    releaseIdle();
    boolean letsGo = false;
    for (IoRegistration registration : touched) {
      letsGo |= registration.settle();
    }
    touched.clear();
    if (letsGo) {
      wakeUp.letGo();
    }
  }

  private void wakeLateReaders() {
    if (watching && watchAtNanos - System.nanoTime() <= 0) {
      synchronized (inbox) {
        watching = false;
      }
      // A reader says first until when it waits and then looks at `watching`; so one of the two
      // sees the other.
      all.forEach(connections -> connections.forEach(Connection::checkReader));
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
      wakeUp.select(ready::add, millis);
    }
  }

  private void serve(SelectionKey key) {
    int ready;
    try {
      ready = key.readyOps();
    } catch (CancelledKeyException e) {
      return; // Another thread has closed the connection, and has said so.
    }
    ((Connection) key.attachment()).registration().serve(ready);
  }

  private void endLate() {
    List<Call<?, ?>> late =
        sweep.look(
            action -> {
              all.forEach(connections -> connections.queue().forEach(action));
              held.forEach(registration -> registration.forEach(action));
            });
    for (Call<?, ?> call : late) {
      call.endLate();
    }
  }

  private void end() {
    synchronized (inbox) {
      stopped = true;
    }
    do {
      takeInbox();
      AsyncQueue queue;
      while ((queue = due.poll()) != null) {
        queue.endAll(Errors.clientClosed(queue.target()));
      }
    } while (!ownInbox.isEmpty());
    try {
      wakeUp.close();
    } catch (IOException e) {
      // It is gone all the same.
    }
  }
}
