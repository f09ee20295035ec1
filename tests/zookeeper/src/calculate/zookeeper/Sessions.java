package calculate.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/** The sessions of other clients: which there are, and how to end one at once. */
final class Sessions {
  private static final Pattern ID = Pattern.compile("sid=(0x[0-9a-f]+)");
  private static final int TIMEOUT_MS = 10_000;

  /** What ZooKeeper mixes into a session's id to make its password (ZooKeeperServer.generatePasswd). */
  private static final long SECRET = 0xB3415C00L;

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
    byte[] password = new byte[16];
    new Random(id ^ SECRET).nextBytes(password);
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper thief =
        new ZooKeeper(
            addresses,
            TIMEOUT_MS,
            event -> {
              if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
              }
            },
            id,
            password);
    try {
      if (!connected.await(TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException("no such session, or its password is another");
      }
    } finally {
      thief.close();
    }
  }
}
