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
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import org.apache.thrift.TException;
import org.apache.thrift.TSerializable;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TMemoryInputTransport;

/** One accepted connection of a {@link FakeServer}: framed, binary. */
final class Peer implements Closeable {
  private static final int TIMEOUT_MILLIS = 10_000;

  /** A call as the server sees it; the service is what a multiplexed one was asked for. */
  record Request(String method, int id, double value, String service) {
    private static Request of(TMessage header, double value) {
      int colon = header.name.indexOf(':');
      return new Request(
          header.name.substring(colon + 1),
          header.seqid,
          value,
          header.name.substring(0, Math.max(0, colon)));
    }
  }

  private final Closeable socket;

  /** Ends TLS, if there is any: sends close_notify. */
  private final Closeable farewell;

  /** Null without TLS. */
  private SSLSocket secured;

  private final InputStream raw;
  private final DataInputStream in;
  private final DataOutputStream out;

  Peer(Socket socket) throws IOException {
    this(socket, () -> {}, socket.getInputStream(), socket.getOutputStream());
    socket.setSoTimeout(TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
  }

  /** With TLS on the socket. */
  Peer(Socket socket, SSLSocket secured) throws IOException {
    // Closing the one with TLS would wait for the client to close, too.
    this(socket, secured::shutdownOutput, secured.getInputStream(), secured.getOutputStream());
    this.secured = secured;
    socket.setTcpNoDelay(true);
    secured.setSoTimeout(TIMEOUT_MILLIS);
  }

  /** On a unix socket, on which a read does not end by itself. */
  Peer(SocketChannel channel) {
    this(channel, () -> {}, Channels.newInputStream(channel), Channels.newOutputStream(channel));
  }

  private Peer(Closeable socket, Closeable farewell, InputStream raw, OutputStream out) {
    this.socket = socket;
    this.farewell = farewell;
    this.raw = raw;
    this.in = new DataInputStream(new BufferedInputStream(raw));
    this.out = new DataOutputStream(out);
  }

  /** Whom the client's certificate is for; null if it showed none. */
  String clientName() {
    try {
      return secured.getSession().getPeerPrincipal().getName();
    } catch (SSLPeerUnverifiedException e) {
      return null;
    }
  }

  /** Makes another handshake on the same connection; under TLS 1.3 that is a key update. */
  void shakeHandsAgain() throws IOException {
    secured.startHandshake();
  }

  Request read() throws IOException, TException {
    return request(readFrame());
  }

  /** The bytes of the next message. */
  byte[] readFrame() throws IOException {
    byte[] frame = new byte[in.readInt()];
    in.readFully(frame);
    return frame;
  }

  /**
   * What one read brings: what left in one write, if it is short. All that was read before is used
   * up.
   */
  byte[] readOnce() throws IOException {
    byte[] buffer = new byte[60_000];
    int count = Math.max(0, raw.read(buffer));
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

  /** Answers so many calls in one write. */
  void answerRoots(int calls) throws IOException, TException {
    byte[][] replies = new byte[calls][];
    for (int i = 0; i < calls; i++) {
      Request request = read();
      TSerializable root = result(Math.sqrt(request.value()));
      replies[i] = frame(request.method(), TMessageType.REPLY, request.id(), root);
    }
    send(concat(replies));
  }

  void send(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    try (socket) {
      farewell.close();
    } catch (SocketException e) {
      // It was closed before, or the client is gone.
    }
  }

  /** Closes the socket, without a word to the client if there is TLS on it. */
  void cut() throws IOException {
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

  static Request request(byte[] message) throws TException {
    TProtocol protocol = new TBinaryProtocol(new TMemoryInputTransport(message));
    TMessage header = protocol.readMessageBegin();
    if (header.name.endsWith("Cal")) {
      Calculate.Cal_args args = new Calculate.Cal_args();
      args.read(protocol);
      return Request.of(header, args.getNumber().getValue());
    }
    if (!header.name.endsWith("Square")) {
      return Request.of(header, Double.NaN);
    }
    Calculate.Square_args args = new Calculate.Square_args();
    args.read(protocol);
    return Request.of(header, args.getNumber().getValue());
  }
}
