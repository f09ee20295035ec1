package calculate;

/**
 * The server sent something that is not a valid reply: bytes that do not decode, a message longer
 * than {@link Options#maxMessageBytes()}, a reply to no call, another method's reply. The
 * connection is closed. Mostly the two sides do not agree on {@link Protocol} or {@link Framing}.
 */
public class ProtocolError extends CalculateError {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error.
   *
   * @param message one line for a person to read
   * @param cause what led to it, or null
   */
  public ProtocolError(String message, Throwable cause) {
    super(message, cause);
  }
}
