package calculate;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import org.apache.thrift.TException;

/**
 * A server's TLS by hand, on a peer without any: for a test that says which bytes go out together,
 * and which never.
 */
final class HandMadeTls {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final Peer peer;
  private final SSLEngine engine;
  private final ByteBuffer in = ByteBuffer.allocate(1 << 17).limit(0);
  private final ByteBuffer out = ByteBuffer.allocate(1 << 20);
  private final ByteBuffer plain = ByteBuffer.allocate(1 << 17);

  HandMadeTls(Peer peer, ServerTls tls) throws Exception {
    this.peer = peer;
    this.engine = tls.engine();
  }

  /** Makes the handshake; what the engine has to say at its end is not sent but answered. */
  byte[] shakeHands() throws IOException {
    engine.beginHandshake();
    while (true) {
      switch (engine.getHandshakeStatus()) {
        case NEED_TASK -> engine.getDelegatedTask().run();
        case NEED_WRAP -> engine.wrap(NOTHING, out);
        case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
          if (engine.unwrap(in, plain).getStatus() == Status.BUFFER_UNDERFLOW) {
            peer.send(outgoing());
            receive();
          }
        }
        default -> {
          return outgoing();
        }
      }
    }
  }

  Peer.Request read() throws IOException, TException {
    while (plain.position() < 4 || plain.position() < 4 + plain.getInt(0)) {
      SSLEngineResult result = engine.unwrap(in, plain);
      if (result.getStatus() == Status.CLOSED) {
        throw new EOFException("close_notify");
      }
      if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
        receive();
      }
    }
    plain.flip().getInt();
    byte[] message = new byte[plain.getInt(0)];
    plain.get(message);
    plain.compact();
    return Peer.request(message);
  }

  /** The bytes of a record for each part. */
  byte[] encrypted(byte[]... parts) throws IOException {
    ByteArrayOutputStream records = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      ByteBuffer content = ByteBuffer.wrap(part);
      while (content.hasRemaining()) {
        engine.wrap(content, out);
        records.write(outgoing());
      }
    }
    return records.toByteArray();
  }

  /** A record without content. */
  byte[] emptyRecord() throws IOException {
    engine.wrap(NOTHING, out);
    return outgoing();
  }

  byte[] closeNotify() throws IOException {
    engine.closeOutbound();
    while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP
        && engine.wrap(NOTHING, out).bytesProduced() > 0) {}
    return outgoing();
  }

  private byte[] outgoing() {
    byte[] bytes = new byte[out.flip().remaining()];
    out.get(bytes).clear();
    return bytes;
  }

  private void receive() throws IOException {
    byte[] bytes = peer.readOnce();
    if (bytes.length == 0) {
      throw new IOException("the client ended the stream, and TLS before it not");
    }
    in.compact().put(bytes).flip();
  }
}
