package calculate;

import calculate.Attempts.Attempt;
import calculate.Retry.Failure;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.thrift.TSerializable;

/** A client of many instances: it chooses one for each call, and another one if that fails. */
final class BalancedClient implements Channel {
  private static final long TICK_MILLIS = 200;
  private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(1);

  private final String service;
  private final Options options;

  /** Of the clients of single instances: what they complete continues here first. */
  private final Options direct;

  private final Randomness randomness = () -> ThreadLocalRandom.current().nextLong();
  private final Events events;
  private final Balancer balancer;
  private final ServiceList list;
  private final Map<Member, Pool> pools = new ConcurrentHashMap<>();

  private final ScheduledExecutorService scheduler;

  // Those that run callbacks, in which no blocking call may be made.

  /** Of the connections to all instances. */
  private final IoThread io;

  private volatile Thread schedulerThread;

  private volatile boolean closed;

  /**
   * Connects to one instance at once, so that a wrong target is told where it was given.
   *
   * @param text the target as it was given
   */
  BalancedClient(String text, ServiceTarget target, Options options) {
    this.service = OneLine.of(text);
    this.options = options;
    this.direct = ServiceList.optionsFor(target, options).withExecutor(Runnable::run);
    this.io = new IoThread(service, direct.executor(), this::close);
    this.events = new Events(options.balancing().listener());
    this.balancer =
        new Balancer(
            service,
            options.balancing(),
            ServiceList.wanted(target, options),
            randomness,
            System::nanoTime,
            events);
    this.list = new ServiceList(text, target, options, balancer, events);
    this.scheduler = Executors.newSingleThreadScheduledExecutor(this::thread);
    boolean connected = false;
    try {
      Deadline deadline = Deadline.after(options.timeout());
      list.start(deadline);
      connectToOne(deadline);
      scheduler.scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
      connected = true;
    } finally {
      events.tell();
      if (!connected) {
        close();
      }
    }
  }

  BalancingCounters counters() {
    return balancer.counters();
  }

  @Override
  public Duration timeout() {
    return options.timeout();
  }

  @Override
  public <T extends TSerializable, R> R call(
      Method<T, R> method, TSerializable args, Duration timeout, byte[] key) {
    Deadline deadline = Deadline.after(Options.checked(timeout));
    checkCaller(method);
    if (options.balancing().hedge()) {
      return await(start(method, args, deadline, key, Runnable::run), method);
    }
    Attempts call = new Attempts(method.isIdempotent, key, deadline);
    while (true) {
      Attempt attempt = begin(call);
      Pool pool = pool(attempt.member());
      Pool.Lease lease = lease(pool);
      try {
        Method<T, R> called = method.ofVersion(attempt.member().version());
        R value = lease.client().call(called, args, attempt.deadline());
        balancer.answered(call, attempt);
        return value;
      } catch (CalculateError e) {
        pause(failed(call, attempt, e), e, method);
      } catch (RuntimeException e) {
        balancer.dropped(call, attempt);
        throw e;
      } finally {
        pool.release(lease);
        events.tell();
      }
    }
  }

  @Override
  public <T extends TSerializable, R> CompletableFuture<R> callAsync(
      Method<T, R> method, TSerializable args, Duration timeout, byte[] key) {
    Deadline deadline = Deadline.after(Options.checked(timeout));
    return start(method, args, deadline, key, this::complete);
  }

  @Override
  public void close() {
    closed = true;
    // Calls that wait for their next attempt learn in it that the client is closed.
    scheduler.shutdown();
    list.close();
    pools.values().forEach(Pool::close);
    io.stop();
    events.tell();
  }

  // What a call needs, blocking or not.

  /**
   * Begins an attempt.
   *
   * @throws ConnectionClosed if the client is closed
   * @throws ConnectError if there is nobody to call
   */
  Attempt begin(Attempts call) {
    if (closed) {
      throw BalancingErrors.clientClosed(service);
    }
    return balancer.begin(call);
  }

  /** What came of an attempt that failed, as {@link Balancer#failed}. */
  long failed(Attempts call, Attempt attempt, CalculateError error) {
    Failure failure = failure(error, attempt);
    if (failure.isAnswer()) {
      balancer.answered(call, attempt);
      return Balancer.GIVE_UP;
    }
    long wait = balancer.failed(call, attempt, failure, OneLine.of(error.getMessage()));
    if (failure.isFault()) {
      list.refresh();
    }
    return closed ? Balancer.GIVE_UP : wait;
  }

  Balancer balancer() {
    return balancer;
  }

  Events events() {
    return events;
  }

  /** The connections to an instance. */
  Pool pool(Member member) {
    return pools.computeIfAbsent(
        member,
        each ->
            new Pool(
                each.instance().target(options.tls().isPresent()),
                direct,
                options.balancing(),
                io,
                randomness,
                () -> connected(each)));
  }

  private void connected(Member member) {
    balancer.connects.incrementAndGet();
    member.connectedNanos = System.nanoTime();
  }

  Pool.Lease lease(Pool pool) {
    Pool.Lease lease = pool.lease();
    if (closed) {
      pool.close();
    }
    return lease;
  }

  /** Does something later; at once where there is no later. */
  void after(long micros, Runnable action) {
    try {
      scheduler.schedule(action, micros, TimeUnit.MICROSECONDS);
    } catch (RejectedExecutionException e) {
      action.run();
    }
  }

  private Failure failure(CalculateError error, Attempt attempt) {
    if (error instanceof Overloaded) {
      return Failure.OVERLOADED;
    } else if (error instanceof ApplicationError) {
      return Failure.APPLICATION;
    } else if (error instanceof ConnectError) {
      return Failure.CONNECT;
    } else if (error instanceof ConnectionClosed) {
      return closed ? Failure.CLIENT_CLOSED : Failure.CLOSED;
    } else if (error instanceof DeadlineExceeded) {
      return attempt.isCut() ? Failure.ATTEMPT_TIMEOUT : Failure.DEADLINE;
    } else if (error instanceof ProtocolError) {
      return Failure.PROTOCOL;
    }
    return error.getCause() instanceof InterruptedException
        ? Failure.CLIENT_CLOSED
        : Failure.DOMAIN;
  }

  private <T extends TSerializable, R> CompletableFuture<R> start(
      Method<T, R> method,
      TSerializable args,
      Deadline deadline,
      byte[] key,
      Consumer<Runnable> completer) {
    Attempts call = new Attempts(method.isIdempotent, key, deadline);
    return new BalancedCall<>(this, method, args, call, completer).start();
  }

  private void checkCaller(Method<?, ?> method) {
    Thread caller = Thread.currentThread();
    if (caller == io.thread() || caller == schedulerThread) {
      throw new IllegalStateException(
          "a callback of an asynchronous call made a blocking call, which would wait for itself: make an asynchronous one,"
              + " or give the client an executor (Options.withExecutor)");
    }
    if (caller.isInterrupted()) {
      throw BalancingErrors.interrupted(service, method.name);
    }
  }

  private <R> R await(CompletableFuture<R> future, Method<?, ?> method) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      future.cancel(true);
      Thread.currentThread().interrupt();
      throw BalancingErrors.interrupted(service, method.name);
    } catch (ExecutionException e) {
      RuntimeException error = (RuntimeException) e.getCause();
      error.fillInStackTrace();
      throw error;
    }
  }

  private void pause(long micros, CalculateError error, Method<?, ?> method) {
    if (micros < 0) {
      throw error;
    }
    long end = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(micros);
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.currentThread().isInterrupted()) {
        throw BalancingErrors.interrupted(service, method.name);
      }
    }
  }

  private void complete(Runnable completion) {
    try {
      options.executor().execute(completion);
    } catch (RejectedExecutionException e) {
      completion.run();
    }
  }

  private Thread thread(Runnable task) {
    Thread thread = new Thread(task, "calculate-balancing-" + service);
    thread.setDaemon(true);
    schedulerThread = thread;
    return thread;
  }

  // What goes on beside the calls.

  private void tick() {
    try {
      balancer.tick();
      list.tick();
      List<Member> members = balancer.members();
      pools.forEach((member, pool) -> maintain(member, pool, members));
      balancer.takeDue().forEach(this::probe);
      events.tell();
    } catch (RuntimeException e) {
      // The next tick comes all the same: an exception would end them.
      events.tell();
    }
  }

  private void maintain(Member member, Pool pool, List<Member> members) {
    pool.tick();
    if (!members.contains(member) && member.inFlight.get() == 0) {
      pools.remove(member);
      pool.retire();
    }
  }

  private void probe(Member member) {
    Pool pool = pool(member);
    Pool.Lease lease = lease(pool);
    lease
        .client()
        .callAsync(Ping.METHOD, new Ping.Nothing(), Deadline.after(PROBE_TIMEOUT))
        .whenComplete(
            (value, error) -> {
              boolean answered = error instanceof ApplicationError || error instanceof Overloaded;
              pool.release(lease);
              balancer.probed(member, value != null || answered);
              events.tell();
            });
  }

  private void connectToOne(Deadline deadline) {
    Attempts call = new Attempts(true, null, deadline);
    CalculateError failure = null;
    for (int left = balancer.callable().size(); left > 0 && deadline.leftNanos() > 0; left--) {
      Member member = balancer.choose(call);
      if (member == null) {
        break;
      }
      Pool pool = pool(member);
      Pool.Lease lease = lease(pool);
      try {
        Duration alone = options.balancing().attemptTimeout();
        boolean cut = left > 1 && alone.toNanos() < deadline.leftNanos();
        lease.client().connect(cut ? Deadline.after(alone) : deadline);
        return;
      } catch (TransportError | DeadlineExceeded e) {
        failure = e;
        balancer.blame(member, OneLine.of(e.getMessage()));
      } finally {
        pool.release(lease);
      }
    }
    if (failure != null) {
      throw failure;
    }
    throw balancer.callable().isEmpty()
        ? BalancingErrors.noInstance(service, balancer.members().size())
        : BalancingErrors.connectTimedOut(service, deadline);
  }
}
