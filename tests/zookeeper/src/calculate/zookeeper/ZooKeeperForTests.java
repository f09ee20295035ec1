package calculate.zookeeper;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A real ZooKeeper, of one node or of several, that tests start as a process and command by its standard input. */
public final class ZooKeeperForTests {
  private static final String USAGE =
      """
      start.sh [--nodes N] [--port PORT] [--data DIR] [--tick MS] [--certificate FILE --key FILE --client-ca FILE --client-auth HOW]
        --nodes N    how many nodes the ensemble has (1)
        --port PORT  where the first one listens (any free port); the others always take free ones
        --data DIR   where the data is (a new folder below the system's temporary one, removed at the end)
        --tick MS    ZooKeeper's tickTime (200): the shortest session lasts two, the longest twenty
        --certificate FILE, --key FILE   a second port of each node speaks TLS, with these (PEM)
        --client-ca FILE                 who signs clients' certificates (PEM)
        --client-auth none|want|need     whether clients must show one (none)
      The first line on stdout is "zookeeper on HOST:PORT[,HOST:PORT…]"; with TLS the second is
      "secure on HOST:PORT[,HOST:PORT…]". It stops on SIGTERM and at the end of stdin.
      Commands, one a line, are answered with one line; N is 1, 2 … and 1 when left out:
        stop [N]     stop the node; its connections break     -> stopped N
        start [N]    start it again on its port               -> started N
        clear [N]    start it again with nothing in it        -> started N
        leader       which one leads (an ensemble only)       -> leader N
        sessions     the sessions that have a connection      -> sessions 0xID 0xID …
        expire [ID]  end the session, or all of them, as if they had run out -> expired HOW_MANY
      What went wrong is answered with "error: …".""";

  private final List<Node> nodes = new ArrayList<>();

  public static void main(String[] arguments) throws Exception {
    int count = 1;
    int port = 0;
    int tick = 200;
    Path data = null;
    Path certificate = null;
    Path key = null;
    Path clientCa = null;
    String clientAuth = "none";
    for (int i = 0; i < arguments.length; i += 2) {
      if (i + 1 == arguments.length) {
        usage();
      }
      String value = arguments[i + 1];
      switch (arguments[i]) {
        case "--nodes" -> count = Integer.parseInt(value);
        case "--port" -> port = Integer.parseInt(value);
        case "--tick" -> tick = Integer.parseInt(value);
        case "--data" -> data = Path.of(value);
        case "--certificate" -> certificate = Path.of(value);
        case "--key" -> key = Path.of(value);
        case "--client-ca" -> clientCa = Path.of(value);
        case "--client-auth" -> clientAuth = value;
        default -> usage();
      }
    }
    if ((certificate == null) != (key == null) || (certificate == null) != (clientCa == null)) {
      usage();
    }
    Tls tls = certificate == null ? null : new Tls(certificate, key, clientCa, clientAuth);
    Path folder = data != null ? data : Files.createTempDirectory("zookeeper-for-tests");
    if (data == null) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> Node.remove(folder)));
    }
    int code = 0;
    try {
      ZooKeeperForTests tests = new ZooKeeperForTests(folder, count, port, tick, tls);
      System.out.println("zookeeper on " + tests.addresses());
      if (tls != null) {
        System.out.println("secure on " + tests.secureAddresses());
      }
      tests.obey();
    } catch (Exception error) {
      error.printStackTrace();
      code = 1;
    }
    System.exit(code); // threads of the servers still run
  }

  private static void usage() {
    System.err.println(USAGE);
    System.exit(2);
  }

  private ZooKeeperForTests(Path folder, int count, int port, int tick, Tls tls) throws Exception {
    List<Node> members = Node.ensemble(folder, count, port, tick, tls);
    for (Node member : members) {
      member.start();
    }
    nodes.addAll(members);
    for (Node member : members) {
      member.await();
    }
  }

  private String addresses() {
    return nodes.stream().map(Node::address).collect(Collectors.joining(","));
  }

  private String secureAddresses() {
    return nodes.stream().map(Node::secureAddress).collect(Collectors.joining(","));
  }

  private void obey() throws IOException {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      try {
        System.out.println(carryOut(line.trim().split(" +")));
      } catch (Exception error) {
        System.out.println("error: " + error);
      }
    }
  }

  private String carryOut(String[] words) throws Exception {
    switch (words[0]) {
      case "stop" -> {
        node(words).stop();
        return "stopped " + number(words);
      }
      case "start", "clear" -> {
        if (words[0].equals("clear")) {
          node(words).clear();
        }
        node(words).start();
        if (majority()) {
          node(words).await();
        }
        return "started " + number(words);
      }
      case "leader" -> {
        for (int i = 0; i < nodes.size(); i++) {
          if (nodes.get(i).leads()) {
            return "leader " + (i + 1);
          }
        }
        return "error: none leads";
      }
      case "sessions" -> {
        return "sessions " + String.join(" ", Sessions.connected(nodes));
      }
      case "expire" -> {
        List<String> ids = words.length > 1 ? List.of(words[1]) : Sessions.connected(nodes);
        for (String id : ids) {
          Sessions.expire(addresses(), Long.decode(id).longValue());
        }
        return "expired " + ids.size();
      }
      default -> {
        return "error: " + words[0] + " is no command";
      }
    }
  }

  private boolean majority() {
    return 2 * nodes.stream().filter(Node::running).count() > nodes.size();
  }

  private static int number(String[] words) {
    return words.length > 1 ? Integer.parseInt(words[1]) : 1;
  }

  private Node node(String[] words) {
    return nodes.get(number(words) - 1);
  }
}
