package calculate;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TProtocolException;

/**
 * What the reader does: it takes bytes from the socket, finds the replies in them and ends the
 * calls that they answer. Used by whoever has the reader's role, or under the connection's lock
 * while nobody has.
 */
final class ReplyReader {
  private static final byte ALERT = 0x15;
  private static final byte TLS_MAJOR_VERSION = 3;

  private final Connection connection;
  private final ReentrantLock lock;
  private final Transport transport;
  private final Message message;
  private final Boundary boundary;
  private final ReceiveBuffer received = new ReceiveBuffer();

  /** Guarded by the lock. */
  private final PendingCalls pending;

  /** Others look at it. */
  private volatile long arrivals;

  /** When something came last, as {@link System#nanoTime} says; seen with {@link #arrivals}. */
  private long lastArrival;

  /**
   * Reads for a connection.
   *
   * @param message of which this uses the reading half
   * @param pending the connection's calls, guarded by the lock
   */
  ReplyReader(
      Connection connection,
      ReentrantLock lock,
      Transport transport,
      Options options,
      Message message,
      PendingCalls pending) {
    this.connection = connection;
    this.lock = lock;
    this.transport = transport;
    this.message = message;
    this.boundary = options.framing().boundary(options.protocol(), options.maxMessageBytes());
    this.pending = pending;
  }

  /** How many reads brought something. */
  long arrivals() {
    return arrivals;
  }

  /** Whether something came within the last so many nanoseconds. */
  boolean broughtSomethingWithin(long nanos) {
    return arrivals > 0 && System.nanoTime() - lastArrival < nanos;
  }

  /** Whether what came is a TLS alert (RFC 8446, 5.1 and 6) instead of a first reply. */
  boolean startedWithAlert() {
    int from = received.from();
    return arrivals == 1
        && received.to() - from > 1
        && received.bytes()[from] == ALERT
        && received.bytes()[from + 1] == TLS_MAJOR_VERSION;
  }

  /**
   * Reads all that is there, but at most so many times; false at the end of the stream. Not to be
   * used after the connection has closed.
   */
  boolean read(int most) throws IOException {
    int left = most;
    int count;
    do {
      count = received.readFrom(transport);
      if (count > 0) {
        lastArrival = System.nanoTime();
        arrivals = arrivals + 1;
        answerCalls();
      }
      left--;
    } while (count > 0 && left > 0 && mayHaveMore() && !connection.isClosed());
    return count >= 0;
  }

  /** Whether the last read may have left something of which the socket does not tell. */
  boolean mayHaveMore() {
    return received.lastReadWasFull() || transport.hasEnded();
  }

  /** Ends the calls whose replies are there. */
  private void answerCalls() {
    while (!connection.isClosed() && !received.isEmpty()) {
      Call<?, ?> call = null;
      Object outcome = null;
      try {
        int end = boundary.end(received.bytes(), received.from(), received.to());
        if (end == Boundary.INCOMPLETE) {
          return;
        }
        call = take(message.open(received.bytes(), received.from() + boundary.headerBytes(), end));
        if (call != null) {
          outcome = message.outcome(call.method, connection.target());
        }
        received.consume(end);
      } catch (TException | RuntimeException e) {
        connection.fail(call, e);
        return;
      }
      if (call != null) {
        call.end(outcome);
      }
    }
  }

  /** The call with the id, which waits no more; null if it was abandoned. */
  private Call<?, ?> take(int id) throws TProtocolException {
    lock.lock();
    try {
      if (!pending.knows(id)) {
        throw new TProtocolException(
            TProtocolException.INVALID_DATA,
            "a reply to call " + id + ", which was not made or was answered before");
      }
      return pending.remove(id);
    } finally {
      lock.unlock();
    }
  }
}
