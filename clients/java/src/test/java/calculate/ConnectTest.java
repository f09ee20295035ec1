package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a client connects, and what it says when it cannot. */
class ConnectTest {
  @Test
  void nobody_listening_is_a_connect_error_that_names_the_server() throws Exception {
    int port;
    try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = closed.getLocalPort();
    }
    String address = "127.0.0.1:" + port;
    ConnectError error = assertThrows(ConnectError.class, () -> CalculateClient.connect(address));
    assertTrue(error.getMessage().contains(address), error.getMessage());
    assertEquals(1, error.getMessage().lines().count());
  }

  @Test
  void an_unknown_host_is_a_connect_error() {
    assertThrows(ConnectError.class, () -> CalculateClient.connect("host.invalid:9090"));
  }

  @Test
  void a_server_that_does_not_accept_in_time_exceeds_the_deadline() throws Exception {
    try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      List<SocketChannel> waiting = fill(full);
      Options options = Options.defaults().withTimeout(Duration.ofMillis(100));
      String address = "127.0.0.1:" + full.getLocalPort();
      assertThrows(DeadlineExceeded.class, () -> CalculateClient.connect(address, options));
      for (SocketChannel channel : waiting) {
        channel.close();
      }
    }
  }

  @Test
  void a_call_that_has_to_connect_anew_keeps_its_deadline() throws Exception {
    FakeServer server = new FakeServer();
    int port = server.port();
    try (CalculateClient client = CalculateClient.connect(server.address())) {
      server.accept();
      server.close();
      try (ServerSocket full = new ServerSocket()) {
        full.setReuseAddress(true);
        full.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
        List<SocketChannel> waiting = fill(full);
        Duration timeout = Duration.ofMillis(100);
        assertThrows(DeadlineExceeded.class, () -> client.square(9, timeout));
        Background.failure(DeadlineExceeded.class, client.squareAsync(9, timeout));
        for (SocketChannel channel : waiting) {
          channel.close();
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:9090, 127.0.0.1, 9090",
    "localhost:1, localhost, 1",
    "[::1]:65535, ::1, 65535",
    "[fe80::1%eth0]:80, fe80::1%eth0, 80"
  })
  void a_target_is_a_host_and_a_port(String text, String host, int port) {
    assertEquals(new Target.Tcp(host, port), Target.parse(text));
    assertEquals(text, Target.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "host",
        "host:",
        ":9090",
        "host:0",
        "host:65536",
        "host:-1",
        "host:+1",
        "host:http",
        "::1:9090",
        "[::1]",
        "[host]:1",
        "[]:1",
        "http://host:1",
        "ho st:1",
        "host:1:2",
        "user@host:1",
        "host:٣",
        "unix:",
        "unix:9090",
        "unix:run/calculate.sock",
        "unix:/run/",
        "unix:/a\nb"
      })
  void anything_else_is_refused_with_the_form(String text) {
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> Target.parse(text));
    assertTrue(error.getMessage().contains(Target.FORMS), error.getMessage());
  }

  /** Connects until the listener's backlog takes no more, so that the next connection waits. */
  private static List<SocketChannel> fill(ServerSocket listener) throws Exception {
    List<SocketChannel> waiting = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      SocketChannel channel = SocketChannel.open();
      channel.configureBlocking(false);
      channel.connect(listener.getLocalSocketAddress());
      waiting.add(channel);
    }
    return waiting;
  }
}
