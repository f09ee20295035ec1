package calculate;

/**
 * The argument lies outside the domain on which the function is defined, such as a negative number
 * for the square root: the IDL's {@code DomainError}. The generated exception is the {@linkplain
 * #getCause() cause}.
 */
public class DomainError extends CalculateError {
  private static final long serialVersionUID = 1L;

  /** As {@link #text()} answers it. */
  private final String text;

  /** As {@link #value()} answers it. */
  private final double value;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param text what the server said is wrong with the argument, as it was received
   * @param value the argument as the server received it
   * @param cause the generated exception, or null
   */
  public DomainError(String message, String text, double value, Throwable cause) {
    super(message, cause);
    this.text = text;
    this.value = value;
  }

  /**
   * What the server said is wrong with the argument, as it was received: it may span lines.
   *
   * @return the IDL's {@code message}
   */
  public String text() {
    return text;
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
