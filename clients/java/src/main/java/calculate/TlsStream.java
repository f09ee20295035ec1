package calculate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLProtocolException;

/**
 * One connection's TLS 1.2 or 1.3 (RFC 5246, RFC 8446): encrypted bytes on one side, plain ones on
 * the other. What comes beside data, such as session tickets and key updates, is dealt with here.
 * Its owner guards it.
 */
final class TlsStream {
  /** How many records of data may wait for the network, and beside them of TLS's own. */
  private static final int DATA_RECORDS = 4;

  private static final int OWN_RECORDS = 2;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  // The types that a record of TLS begins with (RFC 8446, 5.1).
  private static final int FIRST_TYPE = 20;
  private static final int LAST_TYPE = 23;

  private final SSLEngine engine;
  private final boolean mayShow;
  private final int recordBytes;

  /** From the network, between position and limit. */
  private final ByteBuffer in;

  /** For the network, before the position. */
  private final ByteBuffer out;

  /** Decrypted, but more than there was room for: between position and limit. */
  private ByteBuffer plain = NOTHING;

  private boolean begun;

  /** Whether anything came from the server. */
  private boolean answered;

  /** Whether the server has chosen version and cipher. */
  private boolean greeted;

  private boolean established;
  private boolean closing;

  /** The server has ended its side. */
  private boolean ended;

  private TlsFault fault;

  /**
   * A client's side.
   *
   * @param engine that knows the server's name
   * @param mayShow whether it may show a client certificate
   */
  TlsStream(SSLEngine engine, boolean mayShow) {
    this.engine = engine;
    this.mayShow = mayShow;
    this.recordBytes = engine.getSession().getPacketBufferSize();
    this.in = ByteBuffer.allocateDirect(DATA_RECORDS * recordBytes).limit(0);
    this.out = ByteBuffer.allocateDirect((DATA_RECORDS + OWN_RECORDS) * recordBytes);
  }

  /** Whether no data come any more: the server has ended its side, or TLS has failed. */
  boolean isOver() {
    return ended || fault != null;
  }

  /** How TLS failed, or null. */
  TlsFault fault() {
    return fault;
  }

  boolean hasOutgoing() {
    return out.position() > 0;
  }

  /** Reads once from the network; how many bytes came, -1 at its end. */
  int receiveFrom(ReadableByteChannel network) throws IOException {
    in.compact();
    int count;
    try {
      count = network.read(in);
    } finally {
      in.flip();
    }
    if (count > 0 && !answered) {
      answered = true;
      int type = in.get(in.position());
      if (type < FIRST_TYPE || type > LAST_TYPE) {
        fault = TlsFault.notTls();
      }
    }
    return count;
  }

  /** Whether the last read from the network filled all the room there was. */
  boolean wasFilled() {
    return in.limit() == in.capacity();
  }

  /** The network ended. */
  void endOfNetwork() {
    if (!isOver()) {
      fault = established ? TlsFault.cut() : TlsFault.hungUp(answered);
    }
  }

  /** Sends once what is for the network; whether it took all. */
  boolean sendTo(WritableByteChannel network) throws IOException {
    out.flip();
    try {
      network.write(out);
    } finally {
      out.compact();
    }
    return !hasOutgoing();
  }

  /** Forgets what is for the network, as that takes nothing any more. */
  void dropOutgoing() {
    out.clear();
  }

  /**
   * Begins the handshake, or goes on with it as far as what was received goes: true when it is
   * done, or TLS has failed. What is for the network then must still get there.
   */
  boolean shakeHands() {
    if (!begun) {
      begun = true;
      begin();
    }
    boolean advanced = true;
    while (!isOver() && isShakingHands() && advanced) {
      advanced = decrypt(NOTHING);
    }
    if (!isOver() && !isShakingHands() && !established) {
      establish();
    }
    return isOver() || established;
  }

  /** Moves decrypted bytes that were more than there was room for. */
  void takeDecrypted(ByteBuffer into) {
    int count = Math.min(plain.remaining(), into.remaining());
    into.put(plain.slice().limit(count));
    plain.position(plain.position() + count);
  }

  /**
   * Decrypts at most a record of what was received; false if there is none that is whole. To be
   * called again until then, or until there is no room, or it is over.
   */
  boolean decrypt(ByteBuffer into) {
    try {
      SSLEngineResult result = engine.unwrap(in, into);
      if (result.getStatus() == Status.BUFFER_OVERFLOW) {
        result = unwrapAside();
        takeDecrypted(into);
      }
      greeted |= engine.getHandshakeSession() != null;
      ended |= engine.isInboundDone();
      boolean advanced = result.bytesConsumed() > 0 || result.bytesProduced() > 0;
      return settle() || advanced;
    } catch (SSLException | RuntimeException e) {
      fail(e);
      return true;
    }
  }

  /**
   * Encrypts as much as may wait for the network; all else stays.
   *
   * @throws IOException if nothing can be sent any more
   */
  void encrypt(ByteBuffer from) throws IOException {
    while (from.hasRemaining() && out.remaining() > OWN_RECORDS * recordBytes) {
      if (fault != null) {
        throw fault;
      }
      SSLEngineResult result = wrap(from);
      if (result.getStatus() == Status.CLOSED) {
        throw new IOException("closed by the server");
      }
      if (!settle() && result.bytesProduced() == 0) {
        throw new SSLException("TLS takes no data");
      }
    }
  }

  /** Ends the own side: adds a close_notify to what is for the network, unless TLS has failed. */
  void close() {
    closing = true;
    engine.closeOutbound();
    try {
      settle();
    } catch (SSLException | RuntimeException e) {
      // The server hears nothing then but the end of the stream.
    }
  }

  private void begin() {
    try {
      engine.beginHandshake();
      settle();
    } catch (SSLException | RuntimeException e) {
      fail(e);
    }
  }

  private boolean isShakingHands() {
    return engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING;
  }

  /** Takes in what came with the last of the handshake, so that nothing is left. */
  private void establish() {
    established = true;
    boolean advanced = true;
    while (!isOver() && !plain.hasRemaining() && advanced) {
      advanced = decrypt(NOTHING);
    }
    if (fault == null && plain.hasRemaining()) {
      fault = TlsFault.spokeFirst();
    } else if (fault == null && ended) {
      fault = TlsFault.hungUp(true);
    }
  }

  private SSLEngineResult unwrapAside() throws SSLException {
    int bytes = engine.getSession().getApplicationBufferSize();
    plain = plain.capacity() < bytes ? ByteBuffer.allocate(bytes) : plain.clear();
    try {
      SSLEngineResult result = engine.unwrap(in, plain);
      if (result.getStatus() == Status.BUFFER_OVERFLOW) {
        throw new SSLProtocolException("a record that is too long");
      }
      return result;
    } finally {
      plain.flip();
    }
  }

  private SSLEngineResult wrap(ByteBuffer from) throws SSLException {
    SSLEngineResult result = engine.wrap(from, out);
    if (result.getStatus() == Status.BUFFER_OVERFLOW) {
      throw new SSLProtocolException("the server asks for more than it takes");
    }
    return result;
  }

  /** Does what the engine asks for beside data; whether it asked. */
  private boolean settle() throws SSLException {
    boolean asked = false;
    while (true) {
      HandshakeStatus status = engine.getHandshakeStatus();
      refuseRenegotiation(status);
      if (status == HandshakeStatus.NEED_TASK) {
        runTasks();
      } else if (status != HandshakeStatus.NEED_WRAP || wrap(NOTHING).bytesProduced() == 0) {
        return asked;
      }
      asked = true;
    }
  }

  private void runTasks() {
    Runnable task;
    while ((task = engine.getDelegatedTask()) != null) {
      task.run();
    }
    greeted |= engine.getHandshakeSession() != null;
  }

  /** Under TLS 1.2 a server may ask for another handshake on the same connection. */
  private void refuseRenegotiation(HandshakeStatus status) throws SSLException {
    if (established
        && status != HandshakeStatus.NOT_HANDSHAKING
        && !closing
        && !engine.isInboundDone()
        && engine.getSession().getProtocol().equals("TLSv1.2")) {
      throw new SSLProtocolException("the server asks to renegotiate");
    }
  }

  private void fail(Exception error) {
    fault =
        established
            ? TlsFault.broken(error, mayShow)
            : TlsFault.handshake(error, engine.getPeerHost(), greeted, mayShow);
    tellFault();
  }

  /** Adds the alert that tells the server of the fault. */
  private void tellFault() {
    try {
      while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP
          && wrap(NOTHING).bytesProduced() > 0) {}
    } catch (SSLException | RuntimeException e) {
      // It hears nothing then but the end of the stream.
    }
  }
}
