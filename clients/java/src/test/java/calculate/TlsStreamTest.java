package calculate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.Arrays;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * TLS without a socket. Whatever bytes a server sends, they end in its data, in a fault, or in
 * waiting for more: nothing is thrown, nothing hangs, and no data are made up.
 */
@Timeout(120)
class TlsStreamTest {
  private static final byte[] DATA = "what the server has to say".getBytes();
  private static final int STEP = 23;

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void all_is_well_when_nothing_is_spoilt(String version) throws Exception {
    Session session = new Session(version, -1, Integer.MAX_VALUE);
    assertArrayEquals(DATA, session.run());
    assertEquals(null, session.client.fault());
    assertTrue(session.client.isOver(), "the server has ended its side");
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void a_bit_that_is_spoilt_ends_well(String version) throws Exception {
    int length = length(version);
    for (int at = 0; at < length; at += STEP) {
      Session session = new Session(version, at, Integer.MAX_VALUE);
      byte[] data = session.run();
      assertTrue(data.length == 0 || Arrays.equals(DATA, data), "byte " + at);
      assertOneLine(session.client.fault());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void an_end_that_comes_too_early_is_a_fault(String version) throws Exception {
    int length = length(version);
    for (int end = 0; end < length; end += STEP) {
      Session session = new Session(version, -1, end);
      byte[] data = session.run();
      assertTrue(data.length == 0 || Arrays.equals(DATA, data), "byte " + end);
      session.client.endOfNetwork();
      assertNotNull(session.client.fault(), "byte " + end);
      assertOneLine(session.client.fault());
      assertFalse(session.client.fault().isRefusal() && data.length > 0, "byte " + end);
    }
  }

  /** How many bytes the server sends in all. */
  private static int length(String version) throws Exception {
    Session session = new Session(version, -1, Integer.MAX_VALUE);
    session.run();
    return session.sent;
  }

  private static void assertOneLine(TlsFault fault) {
    assertTrue(fault == null || fault.getMessage().lines().count() == 1, () -> fault.getMessage());
  }

  /** A client and a server, and the network between them. */
  private static final class Session {
    private final TlsStream client;
    private final SSLEngine server;
    private final int spoilt;
    private final int end;

    /** For the server, between position and limit. */
    private final ByteBuffer arrived = ByteBuffer.allocate(1 << 17).limit(0);

    private final ByteBuffer ignored = ByteBuffer.allocate(1 << 16);
    private boolean serverFailed;

    /** Bytes that the server sent. */
    private int sent;

    /**
     * Between the two, one bit of the server's is changed, and nothing gets through from a place
     * on.
     */
    Session(String version, int spoilt, int end) throws Exception {
      client = Certificates.trusting().stream(Target.parse("localhost:1"));
      server = ServerTls.showing("server", version).engine();
      server.beginHandshake();
      this.spoilt = spoilt;
      this.end = end;
    }

    /** The data that the client gets: it shakes hands, the server sends data and ends its side. */
    byte[] run() throws Exception {
      boolean moves = true;
      while (!client.shakeHands() && moves) {
        moves = clientSends();
        serverAnswers();
        moves |= serverSends(ByteBuffer.allocate(0));
      }
      if (client.isOver() || !client.shakeHands()) {
        return new byte[0];
      }
      clientSends();
      serverAnswers();
      serverSends(ByteBuffer.wrap(DATA));
      server.closeOutbound();
      serverSends(ByteBuffer.allocate(0));
      ByteBuffer data = ByteBuffer.allocate(1 << 16);
      while (!client.isOver() && client.decrypt(data)) {}
      return Arrays.copyOf(data.array(), data.position());
    }

    private boolean clientSends() throws Exception {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      client.sendTo(Channels.newChannel(bytes));
      arrived.compact().put(bytes.toByteArray()).flip();
      return bytes.size() > 0;
    }

    /** The server takes in what arrived. */
    private void serverAnswers() {
      try {
        boolean more = true;
        while (more && !serverFailed) {
          int before = arrived.remaining();
          Status status = server.unwrap(arrived, ignored.clear()).getStatus();
          Runnable task;
          while ((task = server.getDelegatedTask()) != null) {
            task.run();
          }
          more = status == Status.OK && arrived.remaining() < before;
        }
      } catch (SSLException e) {
        serverFailed = true;
      }
    }

    /** The server sends data, or what it has to say beside. */
    private boolean serverSends(ByteBuffer data) throws Exception {
      ByteBuffer record = ByteBuffer.allocate(1 << 16);
      boolean any = false;
      try {
        while (server.wrap(data, record.clear()).bytesProduced() > 0) {
          any = true;
          deliver(Arrays.copyOf(record.array(), record.position()));
          Runnable task;
          while ((task = server.getDelegatedTask()) != null) {
            task.run();
          }
          if (!data.hasRemaining() && data.capacity() > 0) {
            break;
          }
        }
      } catch (SSLException e) {
        serverFailed = true;
      }
      return any;
    }

    private void deliver(byte[] bytes) throws Exception {
      if (spoilt >= sent && spoilt < sent + bytes.length) {
        bytes[spoilt - sent] ^= 4;
      }
      int through = Math.max(0, Math.min(bytes.length, end - sent));
      sent += bytes.length;
      if (through > 0) {
        client.receiveFrom(Channels.newChannel(new ByteArrayInputStream(bytes, 0, through)));
      }
    }
  }
}
