package calculate;

import calculate.idl.Calculate;
import calculate.idl.Number;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import org.apache.thrift.TException;
import org.apache.thrift.TSerializable;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TMemoryInputTransport;

/** One accepted connection of a {@link FakeServer}: framed, binary. */
final class Peer implements AutoCloseable {
  private static final int TIMEOUT_MILLIS = 10_000;

  /** A call as the server sees it. */
  record Request(String method, int id, double value) {}

  private final Closeable socket;
  private final InputStream raw;
  private final DataInputStream in;
  private final DataOutputStream out;

  Peer(Socket socket) throws IOException {
    this(socket, socket.getInputStream(), socket.getOutputStream());
    socket.setSoTimeout(TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
  }

  /** On a unix socket, on which a read does not end by itself. */
  Peer(SocketChannel channel) {
    this(channel, Channels.newInputStream(channel), Channels.newOutputStream(channel));
  }

  private Peer(Closeable socket, InputStream raw, OutputStream out) {
    this.socket = socket;
    this.raw = raw;
    this.in = new DataInputStream(new BufferedInputStream(raw));
    this.out = new DataOutputStream(out);
  }

  Request read() throws IOException, TException {
    byte[] frame = new byte[in.readInt()];
    in.readFully(frame);
    return request(frame);
  }

  /**
   * What one read brings: what left in one write, if it is short. All that was read before is used
   * up.
   */
  byte[] readOnce() throws IOException {
    byte[] buffer = new byte[60_000];
    int count = raw.read(buffer);
    return java.util.Arrays.copyOf(buffer, count);
  }

  /** Whether the client closes the connection before it sends anything more. */
  boolean isClosedByClient() throws IOException {
    try {
      return in.read() < 0;
    } catch (SocketException e) {
      return true;
    }
  }

  boolean hasMore() throws IOException {
    return in.available() > 0;
  }

  void reply(Request request, double value) throws IOException, TException {
    send(frame(request.method(), TMessageType.REPLY, request.id(), result(value)));
  }

  void answerRoot() throws IOException, TException {
    Request request = read();
    reply(request, Math.sqrt(request.value()));
  }

  void send(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  static TSerializable result(double value) {
    Calculate.Square_result result = new Calculate.Square_result();
    result.setSuccess(new Number(value));
    return result;
  }

  static byte[] frame(String method, byte type, int id, TSerializable body) throws TException {
    byte[] message = message(method, type, id, body);
    byte[] frame = new byte[message.length + 4];
    BigEndian.putI32(frame, 0, message.length);
    System.arraycopy(message, 0, frame, 4, message.length);
    return frame;
  }

  static byte[] message(String method, byte type, int id, TSerializable body) throws TException {
    TMemoryBuffer buffer = new TMemoryBuffer(64);
    TProtocol protocol = new TBinaryProtocol(buffer);
    protocol.writeMessageBegin(new TMessage(method, type, id));
    body.write(protocol);
    return java.util.Arrays.copyOf(buffer.getArray(), buffer.length());
  }

  static byte[] concat(byte[]... parts) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.write(part);
    }
    return all.toByteArray();
  }

  private static Request request(byte[] message) throws TException {
    TProtocol protocol = new TBinaryProtocol(new TMemoryInputTransport(message));
    TMessage header = protocol.readMessageBegin();
    if (header.name.equals("Cal")) {
      Calculate.Cal_args args = new Calculate.Cal_args();
      args.read(protocol);
      return new Request(header.name, header.seqid, args.getNumber().getValue());
    }
    Calculate.Square_args args = new Calculate.Square_args();
    args.read(protocol);
    return new Request(header.name, header.seqid, args.getNumber().getValue());
  }
}
