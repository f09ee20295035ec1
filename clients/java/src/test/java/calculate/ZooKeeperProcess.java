package calculate;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryForever;

/** A real ZooKeeper in a process of its own, as tests/zookeeper/start.sh starts it. */
final class ZooKeeperProcess implements AutoCloseable {
  private static final String BASE = "/services";
  private static final String SERVICE = BASE + "/calculate";
  private static final String FIRST_LINE = "zookeeper on ";
  private static final long BUILD_SECONDS = 300;

  private final Process process;
  private final BufferedReader out;
  private final String address;
  private final CuratorFramework curator;

  /** Where it speaks TLS; null if it does not. */
  private final String secure;

  ZooKeeperProcess() throws Exception {
    this(List.of());
  }

  /**
   * One that also speaks TLS.
   *
   * @param certificate that {@code make certs} made
   * @param clientAuth none, want or need
   */
  ZooKeeperProcess(String certificate, String clientAuth) throws Exception {
    this(
        List.of(
            "--certificate",
            Certificates.certificate(certificate).toString(),
            "--key",
            Certificates.key(certificate).toString(),
            "--client-ca",
            Certificates.certificate("ca").toString(),
            "--client-auth",
            clientAuth));
  }

  private ZooKeeperProcess(List<String> arguments) throws Exception {
    assumeFalse(
        "1".equals(System.getenv("CALCULATE_SKIP_INTEROP")), "CALCULATE_SKIP_INTEROP is set");
    Path program = Path.of("..", "..", "tests", "zookeeper", "start.sh");
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(arguments);
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    // The first time it is built.
    String line = Background.run(out::readLine).get(BUILD_SECONDS, TimeUnit.SECONDS);
    assertTrue(line != null && line.startsWith(FIRST_LINE), "its first line is " + line);
    address = line.substring(FIRST_LINE.length());
    secure =
        arguments.isEmpty()
            ? null
            : Background.get(Background.run(out::readLine)).substring("secure on ".length());
    curator = CuratorFrameworkFactory.newClient(address, 4000, 4000, new RetryForever(100));
    curator.start();
  }

  /** Where servers register. */
  String base() {
    return "zk://" + address + BASE;
  }

  /** What a client is given. */
  String target() {
    return "zk://" + address + SERVICE;
  }

  /** Where servers that speak TLS to it register. */
  String secureBase(String host) {
    return "zk://" + host + secure.substring(secure.lastIndexOf(':')) + BASE;
  }

  /** What a client that speaks TLS to it is given. */
  String secureTarget(String host) {
    return secureBase(host) + "/calculate";
  }

  /** Has it carry a command out. */
  void command(String line) throws Exception {
    OutputStream in = process.getOutputStream();
    in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    in.flush();
    String answer = Background.get(Background.run(out::readLine));
    assertTrue(answer != null && !answer.startsWith("error"), line + " is answered " + answer);
  }

  /** Creates an instance's node or changes it. */
  void put(String id, int port, String more) throws Exception {
    put(id, "{\"address\":\"127.0.0.1\",\"port\":" + port + more + "}");
  }

  void put(String id, String content) throws Exception {
    put(id, content.getBytes(StandardCharsets.UTF_8));
  }

  void put(String id, byte[] content) throws Exception {
    curator.create().orSetData().creatingParentsIfNeeded().forPath(SERVICE + "/" + id, content);
  }

  /** Until somebody has registered under this id. */
  void awaitNode(String id) {
    Background.eventually(() -> has(SERVICE + "/" + id));
  }

  /** Whether there is such a node. */
  boolean has(String path) {
    try {
      return curator.checkExists().forPath(path) != null;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  void remove(String id) throws Exception {
    curator.delete().forPath(SERVICE + "/" + id);
  }

  @Override
  public void close() throws IOException {
    curator.close();
    process.destroy();
  }
}
