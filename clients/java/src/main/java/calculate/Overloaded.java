package calculate;

/**
 * The server refused the call because it is overloaded, and did not carry it out: try again later.
 *
 * <p>It is a TApplicationException of type 11, LOADSHEDDING, the number that fbthrift gives it.
 */
public class Overloaded extends CalculateError {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param cause what led to it, or null
   */
  public Overloaded(String message, Throwable cause) {
    super(message, cause);
  }
}
