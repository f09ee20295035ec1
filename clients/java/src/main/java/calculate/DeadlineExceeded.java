package calculate;

/**
 * The timeout of the call, which covers connecting, sending and waiting, passed before the reply
 * came. The server may or may not have carried the call out. A reply that comes later is dropped.
 */
public class DeadlineExceeded extends CalculateError {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param cause what led to it, or null
   */
  public DeadlineExceeded(String message, Throwable cause) {
    super(message, cause);
  }
}
