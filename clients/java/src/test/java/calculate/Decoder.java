package calculate;

import calculate.idl.Calculate;
import java.util.Arrays;
import org.apache.thrift.TException;
import org.apache.thrift.TSerializable;

/**
 * A reply's way through the client's decoder, without a connection: first its end is found, then it
 * is decoded.
 */
final class Decoder {
  static final Target SERVER = new Target.Tcp("server", 1);

  private static final Method<Calculate.Square_result, Double> SQUARE =
      new Method<>(
          "Square",
          Calculate.Square_result::new,
          (result, server) -> {
            if (result.getError() != null) {
              throw new DomainError(
                  "refused", result.getError().getMessage(), result.getError().getValue(), null);
            }
            return result.getSuccess() == null ? null : result.getSuccess().getValue();
          });

  private static final Method<Calculate.Cal_result, Double> CAL =
      new Method<>(
          "Cal",
          Calculate.Cal_result::new,
          (result, server) -> result.getSuccess() == null ? null : result.getSuccess().getValue());

  private final Boundary boundary;
  private final Message message;
  private final SendBuffer out;

  Decoder(Options options) {
    boundary = options.framing().boundary(options.protocol(), options.maxMessageBytes());
    out = new SendBuffer(Message.configuration(options));
    message = new Message(options, out, Message.configuration(options));
  }

  static Options unframed(Protocol protocol) {
    return Options.defaults().withFraming(Framing.UNFRAMED).withProtocol(protocol);
  }

  /**
   * The outcome of the reply to a call of the method; null if the bytes are no whole message yet.
   */
  Object decode(String method, byte[] bytes) throws TException {
    int end = boundary.end(bytes, 0, bytes.length);
    if (end == Boundary.INCOMPLETE) {
      return null;
    }
    message.open(bytes, boundary.headerBytes(), end);
    return method.equals("Cal") ? message.outcome(CAL, SERVER) : message.outcome(SQUARE, SERVER);
  }

  int id(byte[] bytes) throws TException {
    return message.open(bytes, boundary.headerBytes(), bytes.length);
  }

  int end(byte[] bytes, int to) throws TException {
    return boundary.end(bytes, 0, to);
  }

  byte[] encode(String method, int id, TSerializable args) throws Exception {
    message.encode(new Method<>(method, SQUARE.newResult, SQUARE.value), id, args);
    int length = out.length();
    out.take();
    byte[] bytes = out.leaving();
    return Arrays.copyOf(bytes, length);
  }
}
