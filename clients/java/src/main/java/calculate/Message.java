package calculate;

import org.apache.thrift.TApplicationException;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.TSerializable;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolException;

/**
 * Messages to and from bytes, with the generated code. One for each connection, for its protocol
 * objects are used again. The writing half is used under the connection's lock, the reading half by
 * whoever has the reader's role.
 */
final class Message {
  private static final int MAX_DEPTH = 64;

  private final SendBuffer out;
  private final TProtocol writer;
  private final int headerBytes;
  private final int maxMessageBytes;

  private final ReplyBytes in;
  private final TProtocol reader;

  /** The reply that was opened last. */
  private TMessage reply;

  Message(Options options, SendBuffer out, TConfiguration configuration) {
    this.out = out;
    this.writer = options.protocol().on(out);
    this.headerBytes = options.framing() == Framing.FRAMED ? Integer.BYTES : 0;
    this.maxMessageBytes = options.maxMessageBytes();
    this.in = new ReplyBytes(configuration);
    this.reader = options.protocol().on(in);
  }

  static TConfiguration configuration(Options options) {
    return new TConfiguration(options.maxMessageBytes(), options.maxMessageBytes(), MAX_DEPTH);
  }

  /**
   * Encodes a call at the end of the send buffer. If it cannot be, the buffer stays as it was.
   *
   * @throws IllegalArgumentException if the arguments lack something or are too long
   */
  void encode(Method<?, ?> method, int id, TSerializable args) {
    int start = out.length();
    boolean encoded = false;
    try {
      out.reserve(headerBytes);
      writer.writeMessageBegin(new TMessage(method.callName, method.messageType, id));
      args.write(writer);
      writer.writeMessageEnd();
      int length = out.length() - start - headerBytes;
      if (length > maxMessageBytes) {
        throw Errors.unencodable(
            method.name,
            "they make a message of " + length + " bytes, maxMessageBytes is " + maxMessageBytes,
            null);
      }
      if (headerBytes > 0) {
        out.putI32(start, length);
      }
      encoded = true;
    } catch (TException e) {
      throw Errors.unencodable(method.name, String.valueOf(e.getMessage()), e);
    } finally {
      if (!encoded) {
        out.truncate(start);
        writer.reset();
      }
    }
  }

  /** Reads the header of the message in [from, to) and answers its sequence id. */
  int open(byte[] bytes, int from, int to) throws TException {
    in.window(bytes, from, to);
    reader.reset();
    reply = reader.readMessageBegin();
    return reply.seqid;
  }

  /**
   * Reads the body of the opened message as the reply of {@code method}, to its last byte.
   *
   * @return the value, or the CalculateError that the reply stands for
   * @throws TException if it is not a valid reply of this method
   */
  <T extends TSerializable, R> Object outcome(Method<T, R> method, Target target)
      throws TException {
    if (!reply.name.equals(method.name)) {
      throw malformed("a reply of the method " + reply.name + " to a call of " + method.name);
    }
    if (reply.type == TMessageType.REPLY) {
      T result = method.newResult.get();
      read(result);
      return value(method, result, target);
    }
    if (reply.type == TMessageType.EXCEPTION) {
      TApplicationException exception = new TApplicationException();
      read(exception);
      return Errors.refused(target, method.name, exception);
    }
    throw malformed("a message of type " + reply.type + " where a reply was due");
  }

  private void read(TSerializable body) throws TException {
    body.read(reader);
    reader.readMessageEnd();
    if (in.getBytesRemainingInBuffer() != 0) {
      throw malformed(in.getBytesRemainingInBuffer() + " bytes after the end of a reply");
    }
  }

  private static <T extends TSerializable, R> Object value(
      Method<T, R> method, T result, Target target) throws TProtocolException {
    try {
      R value = method.value.apply(result, target);
      if (value == null) {
        throw malformed("a reply to " + method.name + " with neither a value nor a declared error");
      }
      return value;
    } catch (CalculateError declared) {
      return declared;
    }
  }

  private static TProtocolException malformed(String what) {
    return new TProtocolException(TProtocolException.INVALID_DATA, what);
  }
}
