package calculate;

/**
 * The connection ended before the reply came, or the client was closed. The server may or may not
 * have carried the call out; the client sends nothing twice. The methods of Calculate are pure, so
 * the caller may repeat them without harm.
 */
public class ConnectionClosed extends TransportError {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param cause what led to it, or null
   */
  public ConnectionClosed(String message, Throwable cause) {
    super(message, cause);
  }
}
