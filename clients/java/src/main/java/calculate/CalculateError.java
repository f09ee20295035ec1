package calculate;

/**
 * A call that did not end with a result: the parent of every error that this client reports.
 *
 * <p>Unchecked, so that {@code client.square(9)} reads like arithmetic. Thrown as such by an
 * interrupted caller's call; everything else is one of the subclasses. {@link #getMessage()} is one
 * line: what happened, with which server, and what to do where something can be done.
 */
public class CalculateError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param cause what led to it, or null
   */
  public CalculateError(String message, Throwable cause) {
    super(message, cause);
  }
}
