package calculate.zookeeper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.zookeeper.server.embedded.ExitHandler;
import org.apache.zookeeper.server.embedded.ZooKeeperServerEmbedded;

/** One ZooKeeper server, which keeps its port and its folder when it is stopped. */
final class Node {
  private static final String HOST = "127.0.0.1";
  private static final long START_MS_MAX = 30_000;

  private final Path folder;
  private final Properties settings;
  private final int port;

  /** 0 when there is none. */
  private final int securePort;

  private ZooKeeperServerEmbedded server;

  private Node(Path folder, Properties settings, int port, int securePort) {
    this.folder = folder;
    this.settings = settings;
    this.port = port;
    this.securePort = securePort;
  }

  /** {@code count} nodes that know each other, none of them started; without {@code tls} they have no secure port. */
  static List<Node> ensemble(Path folder, int count, int firstPort, int tick, Tls tls)
      throws IOException {
    int[] ports = freePorts(4 * count);
    if (firstPort != 0) {
      ports[0] = firstPort;
    }
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Path own = folder.resolve("node-" + (i + 1));
      Properties settings = new Properties();
      settings.setProperty("clientPort", String.valueOf(ports[i]));
      settings.setProperty("clientPortAddress", HOST);
      settings.setProperty("dataDir", own.resolve("data").toString());
      settings.setProperty("tickTime", String.valueOf(tick));
      settings.setProperty("maxClientCnxns", "0");
      settings.setProperty("admin.enableServer", "false");
      settings.setProperty("4lw.commands.whitelist", "*");
      if (count > 1) {
        settings.setProperty("initLimit", "20");
        settings.setProperty("syncLimit", "10");
        for (int j = 0; j < count; j++) {
          settings.setProperty(
              "server." + (j + 1), HOST + ":" + ports[count + j] + ":" + ports[2 * count + j]);
        }
      }
      int securePort = tls == null ? 0 : ports[3 * count + i];
      if (tls != null) {
        settings.setProperty("secureClientPort", String.valueOf(securePort));
        settings.setProperty("secureClientPortAddress", HOST);
        tls.set(settings, folder);
      }
      Node node = new Node(own, settings, ports[i], securePort);
      node.prepare();
      nodes.add(node);
    }
    return nodes;
  }

  String address() {
    return HOST + ":" + port;
  }

  String secureAddress() {
    return HOST + ":" + securePort;
  }

  boolean running() {
    return server != null;
  }

  /** Starts; an ensemble serves only once most of its nodes have been started. */
  void start() throws Exception {
    if (server == null) {
      Properties copy = new Properties();
      copy.putAll(settings);
      server =
          ZooKeeperServerEmbedded.builder()
              .baseDir(folder)
              .configuration(copy)
              .exitHandler(ExitHandler.LOG_ONLY)
              .build();
      server.start(START_MS_MAX);
    }
  }

  /** Returns once the node serves clients. */
  void await() throws Exception {
    long end = System.nanoTime() + START_MS_MAX * 1_000_000;
    while (!ask("srvr").contains("Mode:")) {
      if (System.nanoTime() > end) {
        throw new IOException(address() + " does not serve");
      }
      Thread.sleep(10);
    }
  }

  void stop() {
    if (server != null) {
      server.close();
      server = null;
    }
  }

  /** Removes what a stopped node had stored. */
  void clear() throws IOException {
    stop();
    remove(folder);
    prepare();
  }

  boolean leads() {
    return server != null && ask("srvr").contains("Mode: leader");
  }

  /** The answer to one of ZooKeeper's four-letter words; empty when there is none. */
  String ask(String word) {
    try (Socket socket = new Socket(HOST, port)) {
      socket.setSoTimeout(5000);
      socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException error) {
      return "";
    }
  }

  static void remove(Path folder) {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException | UncheckedIOException error) {
      // Gone, or a server that is about to end has just written it.
    } catch (IOException error) {
      System.err.println("cannot remove " + folder + ": " + error);
    }
  }

  private void prepare() throws IOException {
    Path data = folder.resolve("data");
    Files.createDirectories(data);
    String name = folder.getFileName().toString();
    Files.writeString(data.resolve("myid"), name.substring(name.lastIndexOf('-') + 1));
  }

  private static int[] freePorts(int count) throws IOException {
    List<ServerSocket> held = new ArrayList<>();
    try {
      int[] ports = new int[count];
      for (int i = 0; i < count; i++) {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(HOST));
        held.add(socket);
        ports[i] = socket.getLocalPort();
      }
      return ports;
    } finally {
      for (ServerSocket socket : held) {
        socket.close();
      }
    }
  }
}
