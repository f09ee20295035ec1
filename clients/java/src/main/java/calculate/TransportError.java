package calculate;

/**
 * The connection could not be made or was lost: {@link ConnectError} or {@link ConnectionClosed}.
 */
public class TransportError extends CalculateError {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param cause what led to it, or null
   */
  public TransportError(String message, Throwable cause) {
    super(message, cause);
  }
}
