package calculate;

/**
 * The argument lies outside the domain on which the function is defined, such as a negative number for the square root: the
 * IDL's {@code DomainError}. The generated exception is the {@linkplain #getCause() cause}; it has the server's text as it
 * was received, {@link #getMessage()} has it on one line.
 */
public class DomainError extends CalculateError {
  private static final long serialVersionUID = 1L;

  private final double value;

  /**
   * Makes an error.
   *
   * @param message what is wrong with the argument, one line
   * @param value the argument as the server received it
   * @param cause the generated exception, or null
   */
  public DomainError(String message, double value, Throwable cause) {
    super(message, cause);
    this.value = value;
  }

  /**
   * The argument as the server received it.
   *
   * @return the number that was refused
   */
  public double value() {
    return value;
  }
}
