package calculate;

/**
 * No connection could be made: the host is unknown, nobody listens there, or TLS was not agreed on.
 * No call was sent.
 */
public class ConnectError extends TransportError {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param cause what led to it, or null
   */
  public ConnectError(String message, Throwable cause) {
    super(message, cause);
  }
}
