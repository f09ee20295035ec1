package calculate.zookeeper;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The sessions of other clients: which there are, and how to end one at once. */
final class Sessions {
  private static final Pattern ID = Pattern.compile("sid=(0x[0-9a-f]+)");
  private static final int TIMEOUT_MS = 10_000;

  /** What ZooKeeper mixes into a session's id to make its password (ZooKeeperServer.generatePasswd). */
  private static final long SECRET = 0xB3415C00L;

  private static final int CONNECT_BYTES = 4 + 8 + 4 + 8 + 4 + 16 + 1;
  private static final int CLOSE_BYTES = 4 + 4;
  private static final int CLOSE_SESSION = -11;

  private Sessions() {}

  /** The ids of the sessions that have a connection to one of the nodes. */
  static List<String> connected(List<Node> nodes) {
    List<String> ids = new ArrayList<>();
    for (Node node : nodes) {
      Matcher matcher = ID.matcher(node.ask("cons"));
      while (matcher.find()) {
        if (!matcher.group(1).equals("0x0")) {
          ids.add(matcher.group(1));
        }
      }
    }
    return ids;
  }

  /** Ends a session: a second connection takes it over with its password, and closes it. */
  static void expire(String addresses, long id) throws Exception {
    if (!takeOverAndClose(addresses, id)) {
      throw new IllegalStateException("no such session, or its password is another");
    }
    // Its client may have come back at once, and taken it from us before we could close it. This also ends the connection
    // of a client that came back a moment too late, and would go on without a session until its next ping is overdue.
    while (takeOverAndClose(addresses, id)) {}
  }

  /**
   * Returns whether there was such a session. Both requests leave together: between them there is no time for its client
   * to come back, which may take it less than a millisecond.
   */
  private static boolean takeOverAndClose(String addresses, long id) throws IOException {
    byte[] password = new byte[16];
    new Random(id ^ SECRET).nextBytes(password);
    ByteBuffer requests = ByteBuffer.allocate(4 + CONNECT_BYTES + 4 + CLOSE_BYTES);
    requests.putInt(CONNECT_BYTES).putInt(0).putLong(0).putInt(TIMEOUT_MS).putLong(id);
    requests.putInt(password.length).put(password).put((byte) 0);
    requests.putInt(CLOSE_BYTES).putInt(1).putInt(CLOSE_SESSION);
    try (Socket socket = connect(addresses)) {
      socket.getOutputStream().write(requests.array());
      DataInputStream input = new DataInputStream(socket.getInputStream());
      input.skipNBytes(4 + 4 + 4); // length, protocol version, time-out
      boolean had = input.readLong() != 0;
      input.readAllBytes();
      return had;
    } catch (EOFException | SocketException lost) {
      return true; // its client took it back even so
    }
  }

  /** Connects to the first of the nodes that listens. */
  private static Socket connect(String addresses) throws IOException {
    IOException failed = null;
    for (String address : addresses.split(",")) {
      int colon = address.lastIndexOf(':');
      int port = Integer.parseInt(address.substring(colon + 1));
      try {
        Socket socket = new Socket(address.substring(0, colon), port);
        socket.setSoTimeout(TIMEOUT_MS);
        return socket;
      } catch (ConnectException error) {
        failed = error;
      }
    }
    throw failed;
  }
}
