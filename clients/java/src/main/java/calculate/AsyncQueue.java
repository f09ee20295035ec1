package calculate;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * The asynchronous calls of one server that are not on a connection yet. Used by the I/O thread
 * alone, but where it is said.
 */
final class AsyncQueue implements IoWork {
  private final Connections connections;
  private final IoThread io;
  private final ArrayDeque<Call<?, ?>> waiting = new ArrayDeque<>();

  /** The connection that the I/O thread waits to become the reader of, or null. */
  private Connection requested;

  /** Whether the I/O thread is to look at it. */
  private boolean due;

  /** How the last attempt to connect ended, until that is looked at. Of any thread. */
  private volatile CalculateError connectFailure;

  AsyncQueue(Connections connections, IoThread io) {
    this.connections = connections;
    this.io = io;
  }

  IoThread io() {
    return io;
  }

  Target target() {
    return connections.target();
  }

  /** A connection is there, or could not be made. Of any thread. */
  void connected(CalculateError failure) {
    connectFailure = failure;
    io.submit(this);
  }

  @Override
  public void takeIn() {
    look();
  }

  @Override
  public void refuse() {
    // It is empty: the thread has ended its calls.
  }

  /** Has the I/O thread look at it. */
  void look() {
    if (!due) {
      due = true;
      io.due(this);
    }
  }

  /** Whether calls are to be put on the connection once the I/O thread is its reader. */
  boolean isWaitingFor(Connection connection) {
    return requested == connection;
  }

  void add(Call<?, ?> call) {
    waiting.add(call);
    look();
  }

  void remove(Call<?, ?> call) {
    waiting.remove(call);
  }

  void forEach(Consumer<Call<?, ?>> action) {
    waiting.forEach(action);
  }

  /**
   * Puts the calls on a connection if there is one, or has it made; ends them if neither can be.
   */
  void putOrFail() {
    try {
      put();
    } catch (IOException e) {
      endAll(Errors.connectFailed(target(), e));
    }
  }

  private void put() throws IOException {
    due = false;
    CalculateError failure = connectFailure;
    connectFailure = null;
    if (connections.isClosed()) {
      endAll(Errors.clientClosed(target()));
    } else if (failure instanceof ConnectError) {
      endAll(failure);
    }
    takeGrantedRole();
    if (!waiting.isEmpty()) {
      io.prepareToHold();
    }
    while (!waiting.isEmpty() && requested == null) {
      Connection connection = connections.current();
      if (connection == null) {
        connections.connectInBackground(waiting.peekLast().deadline);
        return;
      }
      if (connection.registration().isHeld() || takeRole(connection)) {
        connection.runAll(waiting);
        connection.registration().touch();
      }
    }
  }

  void endAll(CalculateError why) {
    Call<?, ?> call;
    while ((call = waiting.poll()) != null) {
      call.end(why);
    }
  }

  private void takeGrantedRole() {
    if (requested != null && (requested.isReadByIo() || requested.isClosed())) {
      io.hold(requested.registration());
      requested = null;
    }
  }

  private boolean takeRole(Connection connection) {
    if (connection.becomeReader()) {
      io.hold(connection.registration());
      return true;
    }
    if (connection.isUsable()) {
      requested = connection;
    }
    return false;
  }
}
