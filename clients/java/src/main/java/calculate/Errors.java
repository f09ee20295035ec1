package calculate;

import java.io.IOException;
import org.apache.thrift.TApplicationException;

/** The words of the errors: what happened, with which server, what to do. */
final class Errors {
  /**
   * TApplicationException's type for an overloaded server; the library has no name for it, fbthrift
   * has.
   */
  static final int LOADSHEDDING = 11;

  private Errors() {}

  static ConnectError connectFailed(Target target, Throwable cause) {
    String why =
        cause.getMessage() == null
            ? cause.getClass().getSimpleName()
            : OneLine.of(cause.getMessage());
    return new ConnectError(
        "cannot connect to "
            + target
            + ": "
            + why
            + "; is the address right, and does the server run?",
        cause);
  }

  static DeadlineExceeded connectTimedOut(Target target, Deadline deadline) {
    return new DeadlineExceeded(
        "no connection to "
            + target
            + " within "
            + deadline.timeout()
            + ": the server is unreachable or too busy to accept",
        null);
  }

  static ConnectError handshakeFailed(Target target, TlsFault cause) {
    return new ConnectError(
        "cannot connect to " + target + " with TLS: " + cause.getMessage(), cause);
  }

  static DeadlineExceeded handshakeTimedOut(Target target, Deadline deadline) {
    return new DeadlineExceeded(
        "no TLS handshake with "
            + target
            + " within "
            + deadline.timeout()
            + ": is it busy, and does it speak TLS?",
        null);
  }

  static DeadlineExceeded timedOut(Target target, Call<?, ?> call) {
    String what =
        call.method.isOneway
            ? target + " did not take " + call.method.name
            : "no reply from " + target + " to " + call.method.name;
    return new DeadlineExceeded(
        what + " within " + call.deadline.timeout() + ": try again, or allow more time", null);
  }

  static CalculateError interrupted(Target target, String method) {
    return new CalculateError(
        "interrupted while " + method + " waited for " + target + ": the call was abandoned",
        new InterruptedException());
  }

  static ConnectionClosed clientClosed(Target target) {
    return new ConnectionClosed("this client of " + target + " is closed: make a new one", null);
  }

  static ConnectionClosed closedByServer(Target target) {
    return new ConnectionClosed(
        target
            + " closed the connection before it replied: the call may have been carried out; try again",
        null);
  }

  /** The server closed a plain connection, or it was lost, before anything had come. */
  static ConnectionClosed mayWantTls(ConnectionClosed error) {
    return new ConnectionClosed(
        error.getMessage() + "; if the server wants TLS, connect with TLS", error.getCause());
  }

  /** The server answered plain Thrift with an alert of TLS. */
  static ConnectionClosed wantsTls(Target target) {
    return new ConnectionClosed(
        target + " closed the connection, as it wants TLS; connect with TLS", null);
  }

  static ConnectionClosed lost(Target target, IOException cause) {
    if (cause instanceof TlsFault fault && fault.isRefusal()) {
      return new ConnectionClosed(target + " closed the connection: " + fault.getMessage(), fault);
    }
    String why =
        cause.getMessage() == null
            ? cause.getClass().getSimpleName()
            : OneLine.of(cause.getMessage());
    return new ConnectionClosed(
        "the connection to "
            + target
            + " was lost ("
            + why
            + "): the call may have been carried out; try again",
        cause);
  }

  /** For the calls that suffer from a bad reply to another one. */
  static ConnectionClosed closedAfter(Target target, ProtocolError cause) {
    return new ConnectionClosed(
        "the connection to "
            + target
            + " was closed after a reply that is not valid: the call may have been carried out; try again",
        cause);
  }

  static ProtocolError malformed(Target target, String what, Exception cause) {
    return new ProtocolError(
        target
            + " sent "
            + OneLine.of(what)
            + ": is it this service, and are protocol and framing those of the server?",
        cause);
  }

  static IllegalArgumentException unencodable(String method, String why, Throwable cause) {
    return new IllegalArgumentException(
        "the arguments of " + method + " cannot be sent: " + OneLine.of(why), cause);
  }

  static DeclaredError declared(Target target, Exception exception) {
    return new DeclaredError(
        target + " answered with " + OneLine.of(String.valueOf(exception)), exception);
  }

  /** What a TApplicationException stands for. */
  static CalculateError refused(Target target, String method, TApplicationException cause) {
    String text = cause.getMessage() == null ? "" : cause.getMessage();
    String line = text.isBlank() ? "" : ": " + OneLine.of(text);
    if (cause.getType() == LOADSHEDDING) {
      return new Overloaded(
          target + " is overloaded and refused " + method + "; try again later" + line, cause);
    }
    String message = target + " failed " + method + " (code " + cause.getType() + ")" + line;
    return new ApplicationError(message, cause.getType(), text, cause);
  }
}
