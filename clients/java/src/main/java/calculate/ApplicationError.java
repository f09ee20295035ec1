package calculate;

/**
 * The server could not carry the call out and said so with a TApplicationException: an unknown
 * method, a fault inside the server.
 *
 * <p>Specification: doc/specs/thrift-rpc.md of Apache Thrift, "Exception".
 */
public class ApplicationError extends CalculateError {
  private static final long serialVersionUID = 1L;

  /** As {@link #code()} answers it. */
  private final int code;

  /** As {@link #text()} answers it. */
  private final String text;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param code the TApplicationException's type
   * @param text what the server said, as it was received; "" if it said nothing
   * @param cause what led to it, or null
   */
  public ApplicationError(String message, int code, String text, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.text = text;
  }

  /**
   * The TApplicationException's type, such as 1 (unknown method) or 6 (internal error).
   *
   * @return the number as received, whether or not this client knows it
   */
  public int code() {
    return code;
  }

  /**
   * What the server said, as it was received: it may span lines.
   *
   * @return the text, "" if the server said nothing
   */
  public String text() {
    return text;
  }
}
