package calculate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.locks.ReentrantLock;

/** A socket with TLS on it. */
final class TlsTransport implements Transport {
  private static final int DISCARDED_BYTES = 64 * 1024;

  private final SocketChannel socket;

  /** Guards the stream; what is done under it does not block. */
  private final ReentrantLock lock = new ReentrantLock();

  private final TlsStream stream;

  /** Guarded by the lock. */
  private boolean closed;

  // Written under the lock.
  private volatile boolean ended;
  private volatile boolean wantsRoom;

  /**
   * TLS on a connected socket that does not block; {@link #shakeHands} comes first.
   *
   * @param socket that this closes in the end
   */
  TlsTransport(SocketChannel socket, TlsStream stream) {
    this.socket = socket;
    this.stream = stream;
  }

  @Override
  public SocketChannel socket() {
    return socket;
  }

  /**
   * Begins the handshake, or goes on with it: the operation of the socket to wait for, 0 when it is
   * done.
   *
   * @throws TlsFault if it fails; the server has been told why
   */
  int shakeHands() throws TlsFault {
    lock.lock();
    try {
      boolean done;
      do {
        done = stream.shakeHands();
      } while (!done && receiveQuietly());
      flushQuietly();
      if (stream.fault() != null) {
        throw stream.fault();
      }
      if (wantsRoom) {
        return SelectionKey.OP_WRITE;
      }
      return done ? 0 : SelectionKey.OP_READ;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    lock.lock();
    try {
      int start = into.position();
      stream.takeDecrypted(into);
      boolean more = true;
      while (more && into.hasRemaining() && !stream.isOver()) {
        // Data and an unfilled buffer are enough: the socket tells of what comes next.
        boolean enough = into.position() > start && !stream.wasFilled();
        more = stream.decrypt(into) || !enough && receive();
      }
      ended = stream.isOver();
      // Answers to key updates and the like. Whoever writes next hears of it if this fails.
      flushQuietly();
      int count = into.position() - start;
      if (count > 0 || !ended) {
        return count;
      }
      if (stream.fault() != null) {
        throw stream.fault();
      }
      return -1;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean hasEnded() {
    return ended;
  }

  @Override
  public boolean write(ByteBuffer from) throws IOException {
    lock.lock();
    try {
      do {
        stream.encrypt(from);
        if (!stream.sendTo(socket)) {
          wantsRoom = true;
          return false;
        }
      } while (from.hasRemaining());
      wantsRoom = false;
      return true;
    } catch (IOException e) {
      throw lastWords(e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean wantsRoom() {
    return wantsRoom;
  }

  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        stream.close();
        flushQuietly();
        discard();
      }
    } finally {
      lock.unlock();
      socket.close();
    }
  }

  /** Receives what the socket has; false if it has nothing. */
  private boolean receive() throws IOException {
    int count = stream.receiveFrom(socket);
    if (count < 0) {
      stream.endOfNetwork();
    }
    return count != 0;
  }

  /** As {@link #receive}; a socket that has failed is one that has ended. */
  private boolean receiveQuietly() {
    try {
      return receive();
    } catch (IOException e) {
      stream.endOfNetwork();
      return true;
    }
  }

  private void flushQuietly() {
    try {
      wantsRoom = stream.hasOutgoing() && !stream.sendTo(socket);
    } catch (IOException e) {
      stream.dropOutgoing();
      wantsRoom = false;
    }
  }

  /** Why the server went away, if it said so before. */
  private IOException lastWords(IOException lost) {
    ByteBuffer unread = ByteBuffer.allocate(DISCARDED_BYTES);
    while (!stream.isOver() && (stream.decrypt(unread.clear()) || receiveQuietly())) {}
    TlsFault fault = stream.fault();
    return fault != null && fault.isRefusal() ? fault : lost;
  }

  /** What was not read would make the kernel send a reset, which may overtake the close_notify. */
  private void discard() {
    try {
      socket.read(ByteBuffer.allocate(DISCARDED_BYTES));
    } catch (IOException e) {
      // It is gone all the same.
    }
  }
}
