package calculate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.thrift.TConfiguration;

/**
 * One socket, shared by many calls that are in flight together. Two roles go round among the
 * threads that make them: the {@link Sender}'s and the reader's ({@link ReaderRole}). So a lone
 * blocking caller does everything on its own thread.
 */
final class Connection {
  private static final int MAX_ABANDONED = 1024;

  /**
   * So long after a reply the server is taken to have left the connection open. If it closes it in
   * that time, it could as well have closed it between a look and the call.
   */
  private static final long NO_LOOK_NANOS = 50_000;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final Target target;
  private final Transport transport;
  private final boolean plain;
  private final Consumer<Connection> atEnd;
  private final ReentrantLock lock = new ReentrantLock();
  private final IoRegistration registration;
  private final ReaderRole role;
  private final BlockingWait blocking;
  private final Sender sender;
  private final ReplyReader reader;

  // Guarded by the lock, but for the message's reading half, which belongs to the reader.
  private final Message message;
  private final PendingCalls pending = new PendingCalls(1);
  private boolean fresh;

  /** Written under the lock: no new call may be put here; it closes with its last call. */
  private volatile boolean retired;

  /** Written under the lock. */
  private volatile boolean closed;

  /**
   * Takes a connected transport over.
   *
   * @param fresh whether it was made for a call that is about to be put on it: whether it lives is
   *     not looked for then, so that a server which closes every connection at once is not
   *     connected to for ever
   * @param atEnd called when it has closed, once
   */
  Connection(
      Transport transport,
      Target target,
      Options options,
      AsyncQueue queue,
      boolean fresh,
      Consumer<Connection> atEnd) {
    this.transport = transport;
    this.plain = options.tls().isEmpty();
    this.target = target;
    this.fresh = fresh;
    this.atEnd = atEnd;
    TConfiguration configuration = Message.configuration(options);
    SendBuffer out = new SendBuffer(configuration);
    this.message = new Message(options, out, configuration);
    this.reader = new ReplyReader(this, lock, transport, options, message, pending);
    this.sender = new Sender(lock, transport, out, pending, this::sent);
    this.registration = new IoRegistration(this, queue);
    this.role = new ReaderRole(registration);
    this.blocking = new BlockingWait(this, role, transport.socket(), queue.io());
  }

  Target target() {
    return target;
  }

  SocketChannel channel() {
    return transport.socket();
  }

  /** It, as the I/O thread knows it. */
  IoRegistration registration() {
    return registration;
  }

  /** Whether a new call may be put on it. */
  boolean isUsable() {
    return !retired && !closed && !transport.hasEnded();
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * Makes a blocking call and waits until it has ended; false if the connection takes no call:
   * nothing was sent then.
   */
  boolean run(Call<?, ?> call) {
    boolean sends;
    lock.lock();
    try {
      if (!isAlive()) {
        return false;
      }
      put(call);
      role.takeIfFree(call.caller());
      sends = sender.take();
    } finally {
      lock.unlock();
    }
    if (sends) {
      send();
    }
    blocking.await(call);
    return true;
  }

  /**
   * Whether the I/O thread has the reader's role now. If not, and if this is usable, it is woken
   * when it has got it.
   */
  boolean becomeReader() {
    lock.lock();
    try {
      if (!isAlive()) {
        return false;
      }
      boolean taken = role.takeForIo();
      if (!taken) {
        blocking.wake();
      }
      return taken;
    } finally {
      lock.unlock();
    }
  }

  boolean isReadByIo() {
    return role.isHeldByIo();
  }

  /**
   * Puts asynchronous calls here in order, and sends them; those that it takes no more stay in the
   * queue.
   */
  void runAll(ArrayDeque<Call<?, ?>> calls) {
    boolean sends;
    List<Runnable> refusals = new ArrayList<>(0);
    lock.lock();
    try {
      while (isUsable() && !calls.isEmpty()) {
        Call<?, ?> call = calls.poll();
        if (!call.isCancelled()) {
          try {
            put(call);
          } catch (RuntimeException e) {
            refusals.add(() -> call.end(e));
          } catch (OutOfMemoryError e) {
            refusals.add(() -> call.end(Errors.unencodable(call.method.name, e.toString(), e)));
          }
        }
      }
      sends = sender.take();
    } finally {
      lock.unlock();
    }
    if (sends) {
      send();
    }
    refusals.forEach(Runnable::run);
  }

  /** Gives the I/O thread's role up if no asynchronous call is in flight; whether it was. */
  boolean releaseIfIdle() {
    lock.lock();
    try {
      if (pending.hasAsynchronous() && !closed) {
        return false;
      }
      role.passOn(pending.nextCaller(0));
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Passes the role on when the caller that has it needs it no more, or when the I/O thread waits
   * for it.
   */
  void passReaderOn(Call<?, ?> call) {
    lock.lock();
    try {
      if (role.isHeldBy(call.caller())) {
        role.passOn(pending.nextCaller(call.id));
      }
    } finally {
      lock.unlock();
    }
  }

  /** What the reader waits for on the socket. */
  int wantedOps() {
    return sender.isStalled() || transport.wantsRoom()
        ? SelectionKey.OP_READ | SelectionKey.OP_WRITE
        : SelectionKey.OP_READ;
  }

  /** Does what the socket is ready for, all of it. By the reader. */
  void serve(int readyOps) {
    serve(readyOps, Integer.MAX_VALUE);
  }

  /**
   * Does what the socket is ready for, with so many reads at most; whether more has come, of which
   * the socket may not tell. By the reader.
   */
  boolean serve(int readyOps, int readsMax) {
    if ((readyOps & SelectionKey.OP_WRITE) != 0) {
      resumeSending();
    }
    return (readyOps & SelectionKey.OP_READ) != 0 && read(readsMax);
  }

  /** Ends a call whose reply is awaited no more; if that comes all the same, it is dropped. */
  void giveUp(Call<?, ?> call, CalculateError why) {
    abandon(call);
    if (!call.hasEnded()) {
      call.end(why);
    }
  }

  /** Keeps the id of a call whose reply is awaited no more. */
  void abandon(Call<?, ?> call) {
    lock.lock();
    try {
      if (closed || !pending.abandon(call)) {
        return;
      }
      if (pending.abandoned() > MAX_ABANDONED || call.arrivalsBefore == reader.arrivals()) {
        retired = true;
      }
    } finally {
      lock.unlock();
    }
    closeIfOver();
  }

  private void closeIfOver() {
    boolean over;
    lock.lock();
    try {
      over = retired && pending.live() == 0;
    } finally {
      lock.unlock();
    }
    if (over) {
      close(Errors.clientClosed(target));
    }
  }

  /** Wakes the blocking caller that reads if its deadline has passed. By the I/O thread. */
  void checkReader() {
    blocking.checkReader();
  }

  /** Shows every call in flight to the action. */
  void forEach(Consumer<Call<?, ?>> action) {
    lock.lock();
    try {
      pending.forEach(action);
    } finally {
      lock.unlock();
    }
  }

  /** The socket failed, or ended if there is no cause. */
  void lost(IOException cause) {
    ConnectionClosed why =
        cause == null ? Errors.closedByServer(target) : Errors.lost(target, cause);
    close(plain && reader.arrivals() == 0 ? Errors.mayWantTls(why) : why);
  }

  /**
   * Closes the socket as what came is no valid reply. That is the fault of the call that it was
   * for, or of the oldest one if this is null; every other call in flight ends with
   * ConnectionClosed.
   */
  void fail(Call<?, ?> culprit, Exception cause) {
    if (plain && reader.startedWithAlert()) {
      close(Errors.wantsTls(target));
      return;
    }
    ProtocolError fault = Errors.malformed(target, String.valueOf(cause.getMessage()), cause);
    end(culprit, fault, Errors.closedAfter(target, fault));
  }

  /** Closes the socket; every call in flight ends with ConnectionClosed. */
  void close(ConnectionClosed why) {
    end(null, null, why);
  }

  private void end(Call<?, ?> faulty, CalculateError fault, ConnectionClosed why) {
    Call<?, ?> culprit = faulty;
    List<Call<?, ?>> others = new ArrayList<>();
    boolean first;
    lock.lock();
    try {
      first = !closed;
      if (first) {
        closed = true;
        if (fault != null && culprit == null && pending.live() > 0) {
          culprit = pending.remove(pending.oldest().id);
        }
        pending.forEach(others::add);
        sender.close();
      }
    } finally {
      lock.unlock();
    }
    if (first) {
      closeSocket();
      atEnd.accept(this);
    }
    if (culprit != null) {
      culprit.end(fault);
    }
    for (Call<?, ?> call : others) {
      call.end(new ConnectionClosed(why.getMessage(), why.getCause()));
    }
  }

  private void closeSocket() {
    try {
      transport.close();
    } catch (IOException e) {
      // It is gone all the same.
    }
    blocking.close();
  }

  /**
   * Whether a call can be put here. While nobody reads, what the socket has is looked at: the
   * server may have closed it.
   */
  private boolean isAlive() {
    if (isUsable() && role.isFree() && !fresh && !reader.broughtSomethingWithin(NO_LOOK_NANOS)) {
      read(Integer.MAX_VALUE);
    }
    fresh = false;
    return isUsable();
  }

  private void put(Call<?, ?> call) {
    pending.add(call);
    boolean encoded = false;
    try {
      message.encode(call.method, call.id, call.args);
      if (call.method.isOneway) {
        sender.endWhenSent(call);
      }
      encoded = true;
    } finally {
      if (!encoded) {
        pending.remove(call.id);
      }
    }
    call.arrivalsBefore = reader.arrivals();
    call.connection = this;
  }

  /** Oneway calls have ended: one of their callers may read at the moment. */
  private void sent() {
    role.wakeReader(blocking);
    if (retired) {
      closeIfOver();
    }
  }

  private void send() {
    try {
      if (!sender.send()) {
        role.wakeReader(blocking);
      }
    } catch (IOException e) {
      lost(e);
    }
  }

  private void resumeSending() {
    try {
      if (sender.isStalled()) {
        sender.resume();
      } else {
        transport.write(NOTHING);
      }
    } catch (IOException e) {
      lost(e);
    }
  }

  /** Reads what is there, at most so many times; whether more is there. */
  private boolean read(int readsMax) {
    try {
      if (!reader.read(readsMax)) {
        lost(null);
      } else if (retired) {
        closeIfOver();
      }
    } catch (IOException e) {
      lost(e);
    }
    return !closed && reader.mayHaveMore();
  }
}
