package calculate;

/**
 * An exception that the IDL declares, where the client has no error of its own for it: what {@link
 * CalculateClient#call(Method, org.apache.thrift.TSerializable)} throws. The generated exception is
 * the {@linkplain #getCause() cause}, too.
 */
public class DeclaredError extends CalculateError {
  private static final long serialVersionUID = 1L;

  /** As {@link #exception()} answers it. */
  private final Exception exception;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param exception the generated exception
   */
  public DeclaredError(String message, Exception exception) {
    super(message, exception);
    this.exception = exception;
  }

  /**
   * What the server threw.
   *
   * @return the generated exception
   */
  public Exception exception() {
    return exception;
  }
}
